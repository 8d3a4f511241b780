#include "experiments/charts/chart_layout.h"

#include <algorithm>
#include <cmath>

namespace qlimit {
namespace {

constexpr double kMargin = 34;
constexpr double kTitleBaseline = 50, kFirstLine = 92, kLineHeight = 32, kLegendHeight = 44;
constexpr double kSwatch = 26;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

double legend_top(const ChartHeading& heading) {
  return kFirstLine + kLineHeight * static_cast<double>(lines_of(heading.subtitle).size());
}

void draw_legend(Canvas& canvas, Point at, const std::vector<LegendEntry>& legend) {
  for (const LegendEntry& entry : legend) {
    canvas.fill_rectangle({at.x, at.y - 9, at.x + kSwatch, at.y + 9}, entry.color);
    const TextStyle style = {.size = kLabelSize, .color = entry.color, .bold = true};
    canvas.text({at.x + kSwatch + 10, at.y}, entry.name, style);
    at.x = Canvas::text_box({at.x + kSwatch + 10, at.y}, entry.name, style).right + 40;
  }
}

AxisScale value_scale(double low, double high, std::optional<double> floor, const Box& plot) {
  if (floor) {
    const double bottom = std::max(low / 1.3, *floor), top = std::max(high * 1.3, bottom * 10);
    return AxisScale(bottom, top, plot.bottom, plot.top, Spacing::kLogarithmic);
  }
  const ValueRange range = widened(low, high, 0.07, 1e-3);
  return AxisScale(range.low, range.high, plot.bottom, plot.top);
}

}  // namespace

double heading_height(const ChartHeading& heading) {
  return legend_top(heading) + (heading.legend.empty() ? 0 : kLegendHeight);
}

void draw_heading(Canvas& canvas, const ChartHeading& heading) {
  canvas.text({kMargin, kTitleBaseline}, heading.title, {.size = kTitleSize, .bold = true});
  double y = kFirstLine;
  for (const std::string& line : lines_of(heading.subtitle)) {
    canvas.text({kMargin, y}, line, {.size = kLabelSize, .color = kQuietInk});
    y += kLineHeight;
  }
  draw_legend(canvas, {kMargin, legend_top(heading) + 10}, heading.legend);
}

std::vector<Box> panel_boxes(size_t count, const PanelGrid& grid) {
  const double column = kChartWidth / static_cast<double>(grid.columns);
  std::vector<Box> boxes;
  for (size_t i = 0; i < count; ++i) {
    const double left = column * static_cast<double>(i % grid.columns);
    const double top = grid.top + (grid.height + grid.below) * static_cast<double>(i / grid.columns);
    boxes.push_back({left + grid.left, top, left + column - grid.right, top + grid.height});
  }
  return boxes;
}

int chart_height(size_t count, const PanelGrid& grid) {
  return static_cast<int>(std::ceil(panel_boxes(count, grid).back().bottom + grid.bottom));
}

ValueAxis::ValueAxis(double low, double high, std::optional<double> floor, const Box& plot)
    : floor_(floor), scale_(value_scale(low, high, floor, plot)) {}

double ValueAxis::at(double value) const { return scale_(floor_ ? std::max(value, scale_.low()) : value); }

void ValueAxis::draw(Canvas& canvas, const Box& plot, const Axis& x, const std::string& title) const {
  std::vector<double> ticks =
      floor_ ? log_ticks(scale_.low(), scale_.high(), 12) : linear_ticks(scale_.low(), scale_.high(), 7);
  const bool at_floor = floor_ && scale_.low() == *floor_;
  if (at_floor) std::erase_if(ticks, [&](double tick) { return tick < *floor_ * 1.5; });
  draw_axes(canvas, plot, x,
            {.scale = scale_, .ticks = ticks, .title = title, .own_decimals = floor_.has_value()});
  if (!at_floor) return;
  canvas.text({plot.left - 12, plot.bottom}, "≤ " + tick_label(*floor_, {*floor_}),
              {.size = kTickSize, .color = kQuietInk, .horizontal = Align::kEnd});
}

void RangeOfValues::add(double value) {
  if (!std::isfinite(value)) return;
  const bool first = empty();
  low_ = first ? value : std::min(low_, value);
  high_ = first ? value : std::max(high_, value);
}

Axis logarithmic_axis(const RangeOfValues& values, const Box& plot, const std::string& title) {
  const double margin = std::max(std::pow(values.high() / values.low(), 0.04), 1.1);
  const AxisScale scale(values.low() / margin, values.high() * margin, plot.left, plot.right,
                        Spacing::kLogarithmic);
  return {
      .scale = scale, .ticks = log_ticks(scale.low(), scale.high(), 7), .title = title, .own_decimals = true};
}

}  // namespace qlimit
