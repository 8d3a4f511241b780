#include "experiments/charts/scatter_chart.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr double kPanelHeight = 520, kDotRadius = 7, kDotOpacity = 0.6;

void check(const ScatterChart& chart) {
  const auto refuse = [&](const std::string& panel, const char* expected) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "cannot draw these points", .where = chart.title + ", " + panel, .expected = expected});
  };
  if (chart.panels.empty()) refuse("", "at least one panel");
  for (const ScatterPanel& panel : chart.panels) {
    if (panel.points.empty()) refuse(panel.title, "at least one point");
    for (const ScatterPoint& point : panel.points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) refuse(panel.title, "finite numbers");
      if (point.group >= chart.groups.size()) refuse(panel.title, "a colour for each group");
    }
  }
}

constexpr double kNoteHeight = 34;

// The title with the note below it, where axes have their title alone.
void draw_title(Canvas& canvas, const Box& plot, const std::string& title, const std::string& note) {
  canvas.text({plot.left, plot.top - 16 - kNoteHeight}, title,
              {.size = kHeadingSize, .bold = true, .vertical = Align::kEnd});
  canvas.text({plot.left, plot.top - 18}, note,
              {.size = kLabelSize, .color = kQuietInk, .vertical = Align::kEnd});
}

}  // namespace

Canvas draw_scatter_chart(const ScatterChart& chart) {
  check(chart);
  RangeOfValues xs, ys;
  for (const ScatterPanel& panel : chart.panels)
    for (const ScatterPoint& point : panel.points) xs.add(point.x), ys.add(point.y);
  const ValueRange shown = widened(xs.low(), xs.high(), 0.04, 1e-3);

  const ChartHeading heading = {.title = chart.title, .subtitle = chart.subtitle, .legend = chart.groups};
  const PanelGrid grid = {.columns = std::min<size_t>(2, chart.panels.size()),
                          .top = heading_height(heading) + 62 + kNoteHeight,
                          .height = kPanelHeight};
  const std::vector<Box> plots = panel_boxes(chart.panels.size(), grid);
  Canvas canvas(kChartWidth, chart_height(chart.panels.size(), grid));
  draw_heading(canvas, heading);
  for (size_t i = 0; i < plots.size(); ++i) {
    const ScatterPanel& panel = chart.panels[i];
    const AxisScale x(shown.low, shown.high, plots[i].left, plots[i].right);
    const ValueAxis y(ys.low(), ys.high(), chart.y_floor, plots[i]);
    y.draw(canvas, plots[i],
           {.scale = x, .ticks = linear_ticks(shown.low, shown.high, 8), .title = chart.x_title}, "");
    draw_title(canvas, plots[i], panel.title + ": " + chart.y_title, panel.note);
    for (const ScatterPoint& point : panel.points) {
      Color color = chart.groups[point.group].color;
      color.a = kDotOpacity;
      canvas.disc({x(point.x), y.at(point.y)}, kDotRadius, color);
    }
  }
  return canvas;
}

}  // namespace qlimit
