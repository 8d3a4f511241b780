// Named rows, and in each a dot with its interval for every group: what several means achieve, side by side
// in panels.
//
//   draw_dot_chart({.title = "What does each remedy recover?", .x_title = "recovered share of the drop, %",
//                   .shown = {-50, 100}, .references = {0, 100},
//                   .groups = {{"small", kBlue}, {"large", kVermilion}}, .panels = {"plain", "separable"},
//                   .rows = {{"bias", {{{0, 41.0, {{30, 52}}}}, {}}}}});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/axes.h"
#include "experiments/charts/canvas.h"
#include "experiments/charts/chart_layout.h"

namespace qlimit {

struct Dot {
  size_t group = 0;
  double value = 0;
  std::optional<ValueRange> range = {};
};

struct DotRow {
  std::string name;
  std::vector<std::vector<Dot>> panels = {};  // the dots of each panel, at most one a group
};

struct DotChart {
  std::string title = {};
  std::string subtitle = {};
  std::string x_title = {};
  ValueRange shown = {0, 100};           // what lies outside: an arrow there, and a number for a dot
  std::vector<double> references = {};   // upright lines
  std::vector<LegendEntry> groups = {};  // from top to bottom within a row
  std::vector<std::string> panels = {};  // side by side
  std::vector<DotRow> rows = {};         // from top to bottom
};

/// Throws kUsage unless there are rows, panels and groups, each row has all panels, all numbers are finite,
/// all groups of dots exist, and `shown` is a range.
Canvas draw_dot_chart(const DotChart& chart);

}  // namespace qlimit
