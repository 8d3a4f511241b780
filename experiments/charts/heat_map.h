// Figures as coloured cells: the deeper the colour, the larger the figure; cells that matter are framed.
//
//   draw_heat_map({.title = "Where does it break?", .x_title = "parameters", .y_title = "bits",
//                  .deepest = 70,
//                  .panels = {{"plain", {"790", "1.6k"}, {"8", "4"}, {{0.1}, {0.0}, {31.5, true}, {}}}}});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/canvas.h"

namespace qlimit {

struct HeatCell {
  std::optional<double> value = {};  // none: an empty cell
  bool framed = false;               // cells that touch have one frame around all of them
};

struct HeatPanel {
  std::string title;
  std::vector<std::string> columns = {};
  std::vector<std::string> rows = {};
  std::vector<HeatCell> cells = {};  // row by row
};

struct HeatMap {
  std::string title = {};
  std::string subtitle = {};  // lines, with '\n' between them
  std::string x_title = {};
  std::string y_title = {};
  double deepest = 0;  // this value and larger ones have the deepest colour, 0 and smaller ones none
  std::vector<HeatPanel> panels = {};  // two in a row
};

/// Colours deepen with the logarithm of 1 + value, so that 0.5, 5 and 50 all look different. Throws kUsage
/// unless there is a panel, each has 1 to 16 columns, rows, and a cell for each pair, values are finite, and
/// the deepest one is positive.
Canvas draw_heat_map(const HeatMap& map);

}  // namespace qlimit
