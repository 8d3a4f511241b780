// What the charts with several panels have in common: the heading above them, their places, and a vertical
// axis that can show losses of a hundredth of a point beside losses of fifty.
//
//   const ChartHeading heading = {.title = "What is lost?", .subtitle = "...", .legend = {{"W4A4", kBlue}}};
//   const PanelGrid grid = {.top = heading_height(heading) + 60, .height = 420};
//   const std::vector<Box> plots = panel_boxes(4, grid);
//   Canvas canvas(kChartWidth, chart_height(4, grid));
//   draw_heading(canvas, heading);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/axes.h"
#include "experiments/charts/canvas.h"

namespace qlimit {

inline constexpr int kChartWidth = 1600;

struct LegendEntry {
  std::string name;
  Color color;
};

struct ChartHeading {
  std::string title;
  std::string subtitle;  // lines, with '\n' between them
  std::vector<LegendEntry> legend = {};
};

/// Pixels from the upper edge to the end of the heading.
double heading_height(const ChartHeading& heading);
/// Draws it at the upper left.
void draw_heading(Canvas& canvas, const ChartHeading& heading);

/// Panels row by row; all measures in pixels.
struct PanelGrid {
  size_t columns = 2;
  double top = 0;       // of the first row's plots
  double height = 0;    // of a plot
  double left = 100;    // room at the left of each plot, for the labels of its axis
  double right = 30;    // room at its right
  double below = 130;   // room between two rows, for axis and title
  double bottom = 100;  // room below the last row
};

/// The plots of `count` panels.
std::vector<Box> panel_boxes(size_t count, const PanelGrid& grid);
/// The height of a picture that holds them.
int chart_height(size_t count, const PanelGrid& grid);

/// A vertical axis. With a floor, a positive number, it is logarithmic, and what lies at the floor or below
/// (zero and negative values too) is drawn on the lower edge, whose label says so: "≤ 0.05". Where all values
/// lie above the floor, so does the edge.
class ValueAxis {
 public:
  /// Shows the values low to high, and a little more.
  ValueAxis(double low, double high, std::optional<double> floor, const Box& plot);

  double at(double value) const;
  /// Grid, labels and titles of both axes.
  void draw(Canvas& canvas, const Box& plot, const Axis& x, const std::string& title) const;

 private:
  std::optional<double> floor_;
  AxisScale scale_;
};

/// Keeps track of the smallest and the largest of the values that it is shown; ignores what is not finite.
class RangeOfValues {
 public:
  void add(double value);
  bool empty() const { return !(low_ <= high_); }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_ = 1, high_ = 0;
};

/// The horizontal axis of positive values, logarithmic, from the least to the largest and a little more.
Axis logarithmic_axis(const RangeOfValues& values, const Box& plot, const std::string& title);

}  // namespace qlimit
