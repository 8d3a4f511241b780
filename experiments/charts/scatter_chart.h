// Two figures against each other, one dot for each pair, in one or several panels with common axes.
//
//   draw_scatter_chart({.title = "Does noise tell?", .x_title = "SQNR, dB", .y_title = "damage, points",
//                       .groups = {{"small", kBlue}, {"large", kVermilion}},
//                       .panels = {{"plain", "rank correlation -0.7", {{19.3, 4.0, 0}, ...}}}});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/canvas.h"
#include "experiments/charts/chart_layout.h"

namespace qlimit {

struct ScatterPoint {
  double x = 0;
  double y = 0;
  size_t group = 0;
};

struct ScatterPanel {
  std::string title;
  std::string note = {};  // below the title
  std::vector<ScatterPoint> points = {};
};

struct ScatterChart {
  std::string title = {};
  std::string subtitle = {};
  std::string x_title = {};
  std::string y_title = {};
  std::optional<double> y_floor = {};     // as of ValueAxis: makes the axis logarithmic
  std::vector<LegendEntry> groups = {};   // names and colours
  std::vector<ScatterPanel> panels = {};  // at most two in a row
};

/// Throws kUsage unless there is a panel, each has a point, all numbers are finite, and all groups have a
/// colour.
Canvas draw_scatter_chart(const ScatterChart& chart);

}  // namespace qlimit
