#include "experiments/charts/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiments/charts/axes.h"
#include "experiments/charts/chart_layout.h"

namespace qlimit {
namespace {

constexpr size_t kMostColumns = 16, kMostRows = 16;
constexpr double kRowHeight = 54, kFrame = 5;
const Color kEmpty = rgb(0xF0F1F3);

void check(const HeatMap& map) {
  const auto refuse = [&](const std::string& panel, const char* expected) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "cannot draw this heat map", .where = map.title + ", " + panel, .expected = expected});
  };
  if (map.panels.empty() || !(map.deepest > 0) || !std::isfinite(map.deepest))
    refuse("", "a panel, and a positive value of the deepest colour");
  for (const HeatPanel& panel : map.panels) {
    const size_t columns = panel.columns.size(), rows = panel.rows.size();
    if (columns < 1 || columns > kMostColumns || rows < 1 || rows > kMostRows ||
        panel.cells.size() != columns * rows)
      refuse(panel.title, "1 to 16 columns and rows, and a cell for each pair");
    for (const HeatCell& cell : panel.cells)
      if (cell.value && !std::isfinite(*cell.value)) refuse(panel.title, "finite numbers");
  }
}

Color color_of(double value, double deepest) {
  const double depth = std::log1p(std::max(value, 0.0)) / std::log1p(deepest);
  return mix(kWhite, kVermilion, std::min(depth, 1.0));
}

// As many decimals as a loss of that size deserves.
std::string number_text(double value) {
  const std::string text =
      std::abs(value) < 9.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
  return text == "-0.0" ? "0.0" : text;
}

// One panel and where it stands.
class PanelDrawing {
 public:
  PanelDrawing(Canvas& canvas, const HeatMap& map, const HeatPanel& panel, const Box& plot)
      : canvas_(canvas), map_(map), panel_(panel), plot_(plot) {}

  void draw() {
    canvas_.text({plot_.left, plot_.top - 20}, panel_.title,
                 {.size = kHeadingSize, .bold = true, .vertical = Align::kEnd});
    for (size_t row = 0; row < panel_.rows.size(); ++row)
      for (size_t column = 0; column < panel_.columns.size(); ++column) draw_cell(row, column);
    for (size_t row = 0; row < panel_.rows.size(); ++row)
      for (size_t column = 0; column < panel_.columns.size(); ++column) draw_frame(row, column);
    draw_names();
  }

 private:
  Box box(size_t row, size_t column) const {
    const double width = plot_.width() / static_cast<double>(panel_.columns.size());
    const double left = plot_.left + width * static_cast<double>(column);
    const double top = plot_.top + kRowHeight * static_cast<double>(row);
    return {std::round(left), top, std::round(left + width), top + kRowHeight};
  }

  const HeatCell& cell(size_t row, size_t column) const {
    return panel_.cells[row * panel_.columns.size() + column];
  }

  // Places outside of the panel have no frame.
  bool framed(size_t row, size_t column) const {
    return row < panel_.rows.size() && column < panel_.columns.size() && cell(row, column).framed;
  }

  void draw_cell(size_t row, size_t column) {
    const Box inner = box(row, column).expanded(-1.5);
    const std::optional<double> value = cell(row, column).value;
    const Color color = value ? color_of(*value, map_.deepest) : kEmpty;
    canvas_.fill_rectangle(inner, color);
    if (!value) return;
    canvas_.text(inner.center(), number_text(*value),
                 {.size = 24,
                  .color = is_dark(color) ? kWhite : kInk,
                  .bold = cell(row, column).framed,
                  .horizontal = Align::kMiddle});
  }

  // The sides that a framed cell has towards cells that are not. An index before the first wraps around to a
  // large one.
  void draw_frame(size_t row, size_t column) {
    if (!framed(row, column)) return;
    const Box b = box(row, column);
    if (!framed(row - 1, column)) canvas_.line({b.left, b.top}, {b.right, b.top}, kFrame, kInk);
    if (!framed(row + 1, column)) canvas_.line({b.left, b.bottom}, {b.right, b.bottom}, kFrame, kInk);
    if (!framed(row, column - 1)) canvas_.line({b.left, b.top}, {b.left, b.bottom}, kFrame, kInk);
    if (!framed(row, column + 1)) canvas_.line({b.right, b.top}, {b.right, b.bottom}, kFrame, kInk);
  }

  void draw_names() {
    for (size_t column = 0; column < panel_.columns.size(); ++column) {
      canvas_.text(
          {box(0, column).center().x, plot_.bottom + 12}, panel_.columns[column],
          {.size = kTickSize, .color = kQuietInk, .horizontal = Align::kMiddle, .vertical = Align::kStart});
    }
    for (size_t row = 0; row < panel_.rows.size(); ++row) {
      canvas_.text({plot_.left - 14, box(row, 0).center().y}, panel_.rows[row],
                   {.size = kTickSize, .color = kQuietInk, .horizontal = Align::kEnd});
    }
    canvas_.text({plot_.center().x, plot_.bottom + 46}, map_.x_title,
                 {.size = kLabelSize, .horizontal = Align::kMiddle, .vertical = Align::kStart});
    canvas_.text({plot_.left - 86, plot_.center().y}, map_.y_title,
                 {.size = kLabelSize, .horizontal = Align::kMiddle, .upwards = true});
  }

  Canvas& canvas_;
  const HeatMap& map_;
  const HeatPanel& panel_;
  Box plot_;
};

}  // namespace

Canvas draw_heat_map(const HeatMap& map) {
  check(map);
  size_t rows = 0;
  for (const HeatPanel& panel : map.panels) rows = std::max(rows, panel.rows.size());
  const ChartHeading heading = {.title = map.title, .subtitle = map.subtitle};
  const PanelGrid grid = {.columns = std::min<size_t>(2, map.panels.size()),
                          .top = heading_height(heading) + 62,
                          .height = kRowHeight * static_cast<double>(rows),
                          .left = 124};
  const std::vector<Box> plots = panel_boxes(map.panels.size(), grid);
  Canvas canvas(kChartWidth, chart_height(map.panels.size(), grid));
  draw_heading(canvas, heading);
  for (size_t i = 0; i < plots.size(); ++i) {
    Box plot = plots[i];
    plot.bottom = plot.top + kRowHeight * static_cast<double>(map.panels[i].rows.size());
    PanelDrawing(canvas, map, map.panels[i], plot).draw();
  }
  return canvas;
}

}  // namespace qlimit
