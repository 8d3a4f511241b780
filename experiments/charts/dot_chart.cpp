#include "experiments/charts/dot_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr double kDotRadius = 8, kBarWidth = 3.5, kCutEnd = 5;
constexpr double kStep = 24, kRowGap = 18;  // between dots, and between rows
constexpr double kPanelGap = 60;

void check(const DotChart& chart) {
  const auto refuse = [&](const std::string& row, const char* expected) {
    throw Error(ErrorKind::kUsage,
                {.what = "cannot draw these dots", .where = chart.title + ", " + row, .expected = expected});
  };
  if (chart.rows.empty() || chart.panels.empty() || chart.groups.empty())
    refuse("", "at least one row, one panel and one group");
  for (const DotRow& row : chart.rows) {
    if (row.panels.size() != chart.panels.size()) refuse(row.name, "the dots of each panel");
    for (const std::vector<Dot>& dots : row.panels) {
      for (const Dot& dot : dots) {
        const ValueRange range = dot.range.value_or(ValueRange{dot.value, dot.value});
        if (!std::isfinite(dot.value) || !std::isfinite(range.low) || !std::isfinite(range.high))
          refuse(row.name, "finite numbers");
        if (dot.group >= chart.groups.size()) refuse(row.name, "a name for each group");
      }
    }
  }
}

double row_height(const DotChart& chart) {
  return kStep * static_cast<double>(chart.groups.size()) + kRowGap;
}

double names_width(const DotChart& chart) {
  double width = 0;
  for (const DotRow& row : chart.rows)
    width = std::max(width, Canvas::text_box({}, row.name, {.size = kLabelSize}).right);
  return width + 60;
}

std::vector<Box> plots_of(const DotChart& chart, double top) {
  const double left = names_width(chart), count = static_cast<double>(chart.panels.size());
  const double width = (kChartWidth - 40 - left - kPanelGap * (count - 1)) / count;
  std::vector<Box> plots;
  for (size_t i = 0; i < chart.panels.size(); ++i) {
    const double at = left + (width + kPanelGap) * static_cast<double>(i);
    plots.push_back({at, top, at + width, top + row_height(chart) * static_cast<double>(chart.rows.size())});
  }
  return plots;
}

// Points outwards (1 to the right, -1 to the left) with its tip at the edge.
void draw_arrowhead(Canvas& canvas, double edge, double y, double outwards, double half_height, Color color) {
  const double base = edge - outwards * 1.75 * half_height;
  const std::vector<Point> triangle = {{edge, y}, {base, y - half_height}, {base, y + half_height}};
  canvas.convex_polygon(triangle, color);
}

// A dot beyond the edge becomes an arrowhead that points there, and its value.
void draw_beyond(Canvas& canvas, const DotChart& chart, const Dot& dot, double y, const Box& plot) {
  const bool below = dot.value < chart.shown.low;
  const Color color = chart.groups[dot.group].color;
  const double edge = below ? plot.left : plot.right, inwards = below ? 1 : -1;
  draw_arrowhead(canvas, edge, y, -inwards, kDotRadius, color);
  canvas.text({edge + inwards * 22, y}, fmt::format("{:.0f}", dot.value),
              {.size = 19, .color = color, .horizontal = below ? Align::kStart : Align::kEnd});
}

void draw_dot(Canvas& canvas, const DotChart& chart, const Dot& dot, double y, const AxisScale& x,
              const Box& plot) {
  if (dot.value < chart.shown.low || dot.value > chart.shown.high)
    return draw_beyond(canvas, chart, dot, y, plot);
  const Color color = chart.groups[dot.group].color;
  if (dot.range) {
    const double low = std::max(dot.range->low, chart.shown.low);
    const double high = std::min(dot.range->high, chart.shown.high);
    canvas.line({x(low), y}, {x(high), y}, kBarWidth, mix(color, kWhite, 0.35));
    if (low > dot.range->low) draw_arrowhead(canvas, plot.left, y, -1, kCutEnd, color);
    if (high < dot.range->high) draw_arrowhead(canvas, plot.right, y, 1, kCutEnd, color);
  }
  canvas.disc({x(dot.value), y}, kDotRadius, color);
}

void draw_rows(Canvas& canvas, const DotChart& chart, size_t panel, const AxisScale& x, const Box& plot) {
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const double top = plot.top + row_height(chart) * static_cast<double>(i);
    for (const Dot& dot : chart.rows[i].panels[panel])
      draw_dot(canvas, chart, dot, top + kRowGap / 2 + kStep * (static_cast<double>(dot.group) + 0.5), x,
               plot);
  }
}

// Every other row is shaded from the names to the last panel, and the names stand before them.
void draw_stripes(Canvas& canvas, const DotChart& chart, const std::vector<Box>& plots) {
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const double top = plots[0].top + row_height(chart) * static_cast<double>(i);
    if (i % 2 == 0)
      canvas.fill_rectangle({20, top, plots.back().right + 12, top + row_height(chart)}, kShade);
    canvas.text({plots[0].left - 24, top + row_height(chart) / 2}, chart.rows[i].name,
                {.size = kLabelSize, .horizontal = Align::kEnd});
  }
}

}  // namespace

Canvas draw_dot_chart(const DotChart& chart) {
  check(chart);
  const ChartHeading heading = {.title = chart.title, .subtitle = chart.subtitle, .legend = chart.groups};
  const std::vector<Box> plots = plots_of(chart, heading_height(heading) + 62);
  Canvas canvas(kChartWidth, static_cast<int>(plots[0].bottom + 100));
  draw_heading(canvas, heading);
  draw_stripes(canvas, chart, plots);
  for (size_t i = 0; i < plots.size(); ++i) {
    const AxisScale x(chart.shown.low, chart.shown.high, plots[i].left, plots[i].right);
    const AxisScale no_labels(0, 1, plots[i].bottom, plots[i].top);
    draw_axes(canvas, plots[i],
              {.scale = x, .ticks = linear_ticks(x.low(), x.high(), 8), .title = chart.x_title},
              {.scale = no_labels, .ticks = {}, .title = chart.panels[i]});
    for (const double reference : chart.references)
      canvas.line({x(reference), plots[i].top}, {x(reference), plots[i].bottom}, 2.5, kQuietInk);
    draw_rows(canvas, chart, i, x, plots[i]);
  }
  return canvas;
}

}  // namespace qlimit
