// Curves with their uncertainty: the mean as a line, its interval as a band, in one or several panels.
//
//   draw_band_chart({.title = "What is lost?", .x_title = "parameters", .y_title = "drop, points",
//                    .y_floor = 0.05, .reference = {{1, "one point"}},
//                    .panels = {{"plain", {{"W8A8", kBlue, {{790, 0.2, {{0.1, 0.3}}}, ...}}}}}});
//
// The horizontal axis is logarithmic and the same in all panels. Each curve has its name at its right end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/axes.h"
#include "experiments/charts/canvas.h"

namespace qlimit {

struct BandPoint {
  double x = 0;  // positive
  double y = 0;
  std::optional<ValueRange> band = {};  // around y
};

struct BandCurve {
  std::string name;
  Color color = kBlue;
  std::vector<BandPoint> points = {};  // by rising x
};

struct BandPanel {
  std::string title;
  std::vector<BandCurve> curves = {};
};

/// A level that the eye should compare with.
struct ReferenceLine {
  double value = 0;
  std::string name = {};
};

struct BandChart {
  std::string title = {};
  std::string subtitle = {};  // lines, with '\n' between them
  std::string x_title = {};
  std::string y_title = {};
  std::optional<double> y_floor = {};  // as of ValueAxis (chart_layout.h): makes the axis logarithmic
  std::optional<ReferenceLine> reference = {};
  bool draws_front = false;  // a wide grey line along the largest y for at most so much x
  bool shares_y = true;      // one vertical axis for all panels, or each its own
  size_t columns = 2;        // panels in a row
  std::vector<BandPanel> panels = {};
};

/// Throws kUsage unless there is a panel, each has a point, x is positive, rises along each curve, and all
/// numbers are finite.
Canvas draw_band_chart(const BandChart& chart);

}  // namespace qlimit
