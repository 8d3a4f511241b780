#include "experiments/charts/pareto_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiments/charts/axes.h"
#include "experiments/charts/label_placement.h"

namespace qlimit {
namespace {

constexpr size_t kMaxResults = 12;
constexpr double kWidth = 1600;
constexpr double kPlotLeft = 118, kPlotRight = kWidth - 40;
constexpr double kHeader = 190, kFooter = 92, kPanelGap = 92;
constexpr double kMarkerRadius = 11, kMarkerLine = 4;
constexpr double kLineHeight = 29;
constexpr double kNormalQuantile = 1.96;  // of 95 %

const Color kFrontLine = rgb(0x5F6368);

// One version of one model, as drawn.
struct Marker {
  const VariantFigures* figures;
  Color color;
  bool is_int8;
  std::vector<std::string> lines;  // the label
};

struct Panel {
  std::string dataset;
  std::vector<Marker> markers;  // fp32 and int8 of each model in turn, as in trades_of
  std::vector<size_t> front;
  Box plot;
};

// "1.7× faster", "1.2× slower", "as fast": a ratio is said the way that is above 1.
std::string ratio_text(double ratio, const char* more, const char* less, const char* same) {
  if (ratio > 0.95 && ratio < 1.05) return same;
  return ratio >= 1 ? fmt::format("{:.1f}× {}", ratio, more) : fmt::format("{:.1f}× {}", 1 / ratio, less);
}

std::vector<std::string> label_of(const ExperimentResult& result, bool is_int8) {
  const VariantFigures& figures = is_int8 ? result.int8 : result.fp32;
  std::vector<std::string> lines = {
      result.experiment + (is_int8 ? " int8" : " fp32"),
      fmt::format("{:.2f} % · {} · {}", 100 * figures.accuracy, latency_text(figures.latency_us.median),
                  bytes_text(figures.model_bytes))};
  if (is_int8) {
    const double bytes_ratio =
        static_cast<double>(result.fp32.model_bytes) / static_cast<double>(figures.model_bytes);
    lines.push_back(
        ratio_text(result.fp32.latency_us.median / figures.latency_us.median, "faster", "slower", "as fast") +
        ", " + ratio_text(bytes_ratio, "smaller", "larger", "as large"));
  }
  return lines;
}

TextStyle line_style(size_t line, Color color) {
  if (line == 0) return {.size = 24, .color = color, .bold = true, .vertical = Align::kStart};
  return {.size = 21, .color = line == 1 ? kInk : kQuietInk, .vertical = Align::kStart};
}

// In percent: the 95 % interval of the accuracy.
ValueRange interval(const VariantFigures& figures) {
  const double half = kNormalQuantile * figures.standard_error;
  return {100 * std::max(0.0, figures.accuracy - half), 100 * std::min(1.0, figures.accuracy + half)};
}

// The panels point into `groups`.
std::vector<Panel> panels_of(const std::vector<std::vector<ExperimentResult>>& groups) {
  std::vector<Panel> panels;
  double top = kHeader;
  size_t color = 0;
  for (const std::vector<ExperimentResult>& group : groups) {
    Panel panel;
    panel.dataset = dataset_title(group[0].dataset);
    panel.front = pareto_front(trades_of(group));
    for (const ExperimentResult& result : group) {
      const Color ink = series_color(color++);
      panel.markers.push_back({&result.fp32, ink, false, label_of(result, false)});
      panel.markers.push_back({&result.int8, ink, true, label_of(result, true)});
    }
    const double height = 170 + 150 * static_cast<double>(group.size());
    panel.plot = {kPlotLeft, top, kPlotRight, top + height};
    top += height + kPanelGap;
    panels.push_back(std::move(panel));
  }
  return panels;
}

// All panels share the latencies' axis. The fastest point, an int8 one, has its label at its left: there is
// more room.
AxisScale latency_scale(const std::vector<ExperimentResult>& results) {
  double low = INFINITY, high = 0;
  for (const ExperimentResult& result : results) {
    for (const VariantFigures* figures : {&result.fp32, &result.int8}) {
      low = std::min(low, figures->latency_us.low);
      high = std::max(high, figures->latency_us.high);
    }
  }
  const double least = std::log10(low), span = std::max(std::log10(high) - least, 0.5);
  return AxisScale(std::pow(10, least - 0.33 * span), std::pow(10, least + 1.16 * span), kPlotLeft,
                   kPlotRight, Spacing::kLogarithmic);
}

AxisScale accuracy_scale(const Panel& panel) {
  double low = INFINITY, high = -INFINITY;
  for (const Marker& marker : panel.markers) {
    low = std::min(low, interval(*marker.figures).low);
    high = std::max(high, interval(*marker.figures).high);
  }
  // A span of a point at least: a difference smaller than its own uncertainty should not look like a cliff.
  const ValueRange range = widened(low, high, 0.3, 1);
  return AxisScale(range.low, range.high, panel.plot.bottom, panel.plot.top);
}

Point position(const Marker& marker, const AxisScale& x, const AxisScale& y) {
  return {x(marker.figures->latency_us.median), y(100 * marker.figures->accuracy)};
}

// The front as a staircase: at each latency the best accuracy that can be had, from the axis to the right
// edge.
std::vector<Point> staircase(const Panel& panel, const AxisScale& x, const AxisScale& y) {
  std::vector<Point> stairs;
  for (const size_t index : panel.front) {
    const Point corner = position(panel.markers[index], x, y);
    stairs.push_back({corner.x, stairs.empty() ? panel.plot.bottom : stairs.back().y});
    stairs.push_back(corner);
  }
  stairs.push_back({panel.plot.right, stairs.back().y});
  return stairs;
}

// What nobody needs: slower and less accurate than something on the front.
void shade_dominated(Canvas& canvas, const std::vector<Point>& stairs, double bottom) {
  for (size_t i = 1; i + 1 < stairs.size(); i += 2) {
    // From whole pixel to whole pixel, so that no seam shows between the steps.
    canvas.fill_rectangle({std::round(stairs[i].x), stairs[i].y, std::round(stairs[i + 1].x), bottom},
                          kShade);
  }
}

struct Bar {
  Point from, to;
};

// The uncertainty of both figures: 95 % of the accuracy, low to high of the latency.
std::array<Bar, 2> error_bars(const Marker& marker, const AxisScale& x, const AxisScale& y) {
  const Point at = position(marker, x, y);
  const ValueRange accuracy = interval(*marker.figures);
  return {{{{at.x, y(accuracy.low)}, {at.x, y(accuracy.high)}},
           {{x(marker.figures->latency_us.low), at.y}, {x(marker.figures->latency_us.high), at.y}}}};
}

// Bars that end under the marker are left out: what would peep out is no information.
void draw_error_bars(Canvas& canvas, const Marker& marker, const AxisScale& x, const AxisScale& y) {
  const Color color = mix(marker.color, kWhite, 0.35);
  const Point at = position(marker, x, y);
  const auto [vertical, horizontal] = error_bars(marker, x, y);
  for (const Point end : {vertical.from, vertical.to}) {
    if (std::abs(end.y - at.y) < kMarkerRadius + 6) continue;
    canvas.line(at, end, 2.5, color);
    canvas.line({end.x - 7, end.y}, {end.x + 7, end.y}, 2.5, color);
  }
  canvas.line(horizontal.from, horizontal.to, 5,
              color);  // thick and without caps: it shares its line with the arrow
}

void draw_marker(Canvas& canvas, Point at, Color color, bool filled) {
  canvas.disc(at, kMarkerRadius + kMarkerLine / 2 + 2,
              kWhite);  // a halo: the marker stands off from what lies below
  if (filled) canvas.disc(at, kMarkerRadius + kMarkerLine / 2, color);
  if (!filled) canvas.ring(at, kMarkerRadius, kMarkerLine, color);
}

// From edge to edge of two markers; nothing if they overlap.
void draw_quantization_arrow(Canvas& canvas, Point from, Point to, Color color) {
  const double length = std::hypot(to.x - from.x, to.y - from.y), gap = kMarkerRadius + kMarkerLine;
  if (length < 2 * gap + 12) return;
  const double ux = (to.x - from.x) / length, uy = (to.y - from.y) / length;
  canvas.arrow({from.x + ux * gap, from.y + uy * gap}, {to.x - ux * (gap + 3), to.y - uy * (gap + 3)}, 5.5,
               color);
}

LabelRequest request_for(const Marker& marker, Point at) {
  LabelRequest request{.anchor = at, .clearance = kMarkerRadius + 12};
  for (size_t i = 0; i < marker.lines.size(); ++i) {
    request.width =
        std::max(request.width, Canvas::text_box({}, marker.lines[i], line_style(i, kInk)).width());
  }
  request.height = kLineHeight * static_cast<double>(marker.lines.size());
  return request;
}

// What labels keep away from: markers, error bars, arrows, the front.
std::vector<Box> obstacles_of(const Panel& panel, const AxisScale& x, const AxisScale& y) {
  std::vector<Box> obstacles;
  const auto keep_off = [&](Point from, Point to, double width) {
    const std::vector<Box> boxes = boxes_along(from, to, width);
    obstacles.insert(obstacles.end(), boxes.begin(), boxes.end());
  };
  for (size_t i = 0; i < panel.markers.size(); ++i) {
    const Point at = position(panel.markers[i], x, y);
    obstacles.push_back(Box{at.x, at.y, at.x, at.y}.expanded(kMarkerRadius + 4));
    for (const Bar& bar : error_bars(panel.markers[i], x, y)) keep_off(bar.from, bar.to, 12);
    if (panel.markers[i].is_int8) keep_off(position(panel.markers[i - 1], x, y), at, 14);
  }
  const std::vector<Point> stairs = staircase(panel, x, y);
  for (size_t i = 0; i + 1 < stairs.size(); ++i) keep_off(stairs[i], stairs[i + 1], 6);
  return obstacles;
}

// A label at the left of its point ends at it, with its lines flush on the right.
void draw_lines(Canvas& canvas, const Marker& marker, const Box& box, bool flush_right) {
  for (size_t line = 0; line < marker.lines.size(); ++line) {
    TextStyle style = line_style(line, marker.color);
    style.horizontal = flush_right ? Align::kEnd : Align::kStart;
    canvas.text({flush_right ? box.right : box.left, box.top + static_cast<double>(line) * kLineHeight},
                marker.lines[line], style);
  }
}

// Joins a label to its point if it had to go too far away to be seen as belonging to it.
void draw_leader(Canvas& canvas, Point at, const Box& box, Color color) {
  const Point nearest = {std::clamp(at.x, box.left, box.right), std::clamp(at.y, box.top, box.bottom)};
  const double distance = std::hypot(nearest.x - at.x, nearest.y - at.y);
  if (distance <= 50) return;
  const double t = (kMarkerRadius + 4) / distance;
  canvas.line({at.x + t * (nearest.x - at.x), at.y + t * (nearest.y - at.y)}, nearest, 1.5,
              mix(color, kWhite, 0.4));
}

void draw_labels(Canvas& canvas, const Panel& panel, const AxisScale& x, const AxisScale& y) {
  std::vector<LabelRequest> requests;
  for (const Marker& marker : panel.markers) requests.push_back(request_for(marker, position(marker, x, y)));
  const std::vector<Box> boxes = place_labels(requests, obstacles_of(panel, x, y), panel.plot.expanded(-4));
  for (size_t i = 0; i < boxes.size(); ++i)
    draw_leader(canvas, requests[i].anchor, boxes[i], panel.markers[i].color);
  for (size_t i = 0; i < boxes.size(); ++i) {
    draw_lines(canvas, panel.markers[i], boxes[i], boxes[i].right < requests[i].anchor.x);
  }
}

void draw_panel(Canvas& canvas, const Panel& panel, const AxisScale& x, bool is_last) {
  const AxisScale y = accuracy_scale(panel);
  const std::vector<Point> stairs = staircase(panel, x, y);
  shade_dominated(canvas, stairs, panel.plot.bottom);
  draw_axes(canvas, panel.plot,
            {.scale = x,
             .ticks = log_ticks(x.low(), x.high(), 12),
             .title = is_last ? "latency of one image, µs (logarithmic; further left is better)" : "",
             .own_decimals = true},
            {.scale = y,
             .ticks = linear_ticks(y.low(), y.high(), 6),
             .title = panel.dataset + ": test accuracy, %"});
  canvas.dashed_polyline(stairs, 3, 13, 9, kFrontLine);
  for (const Marker& marker : panel.markers) draw_error_bars(canvas, marker, x, y);
  for (size_t i = 0; i + 1 < panel.markers.size(); i += 2) {
    draw_quantization_arrow(canvas, position(panel.markers[i], x, y), position(panel.markers[i + 1], x, y),
                            panel.markers[i].color);
  }
  for (const Marker& marker : panel.markers)
    draw_marker(canvas, position(marker, x, y), marker.color, marker.is_int8);
  draw_labels(canvas, panel, x, y);
}

void draw_legend(Canvas& canvas, Point at) {
  const TextStyle style = {.size = kTickSize, .color = kQuietInk};
  const auto entry = [&](double symbol_width, const char* text, const auto& draw) {
    draw(Point{at.x + symbol_width / 2, at.y});
    at.x += symbol_width + 10;
    canvas.text(at, text, style);
    at.x = Canvas::text_box(at, text, style).right + 34;
  };
  entry(26, "fp32", [&](Point p) { draw_marker(canvas, p, kQuietInk, false); });
  entry(26, "int8", [&](Point p) { draw_marker(canvas, p, kQuietInk, true); });
  entry(48, "quantization", [&](Point p) { canvas.arrow({p.x - 24, p.y}, {p.x + 24, p.y}, 5, kQuietInk); });
  entry(52, "Pareto front, dominated below", [&](Point p) {
    canvas.fill_rectangle({p.x - 26, p.y, p.x + 26, p.y + 14}, mix(kShade, kGrid, 0.5));
    const std::array<Point, 2> ends = {Point{p.x - 26, p.y}, Point{p.x + 26, p.y}};
    canvas.dashed_polyline(ends, 3, 13, 6.5, kFrontLine);
  });
  entry(16, "95 % interval of accuracy; spread of latency", [&](Point p) {
    canvas.line({p.x, p.y - 12}, {p.x, p.y + 12}, 2.5, kAxis);
    for (const double end : {-12.0, 12.0})
      canvas.line({p.x - 7, p.y + end}, {p.x + 7, p.y + end}, 2.5, kAxis);
  });
}

// Where the latencies come from.
std::string subtitle_of(const std::vector<ExperimentResult>& results) {
  if (!latencies_compare(results))
    return "Caution: measured with different machines, instruction sets or threads; latencies do not "
           "compare.";
  const auto named =
      std::find_if(results.begin(), results.end(), [](const auto& r) { return !r.processor.empty(); });
  return named == results.end() ? "" : "measured on " + named->processor;
}

}  // namespace

std::vector<Trade> trades_of(const std::vector<ExperimentResult>& results) {
  std::vector<Trade> trades;
  for (const ExperimentResult& result : results) {
    for (const VariantFigures* figures : {&result.fp32, &result.int8}) {
      trades.push_back({figures->latency_us.median, figures->accuracy});
    }
  }
  return trades;
}

std::vector<std::vector<ExperimentResult>> by_dataset(const std::vector<ExperimentResult>& results) {
  std::vector<std::vector<ExperimentResult>> groups;
  for (const ExperimentResult& result : results) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& members) {
      return members[0].dataset == result.dataset;
    });
    if (group == groups.end()) {
      groups.push_back({result});
    } else {
      group->push_back(result);
    }
  }
  return groups;
}

bool latencies_compare(const std::vector<ExperimentResult>& results) {
  std::set<std::string> processors, instruction_sets;
  std::set<int64_t> threads;
  for (const ExperimentResult& result : results) {
    if (!result.processor.empty()) processors.insert(result.processor);
    if (!result.instruction_set.empty()) instruction_sets.insert(result.instruction_set);
    if (result.threads > 0) threads.insert(result.threads);
  }
  return processors.size() <= 1 && instruction_sets.size() <= 1 && threads.size() <= 1;
}

Canvas draw_pareto_chart(const std::vector<ExperimentResult>& results) {
  if (results.empty() || results.size() > kMaxResults) {
    throw Error(ErrorKind::kUsage, {.what = "cannot compare this many results",
                                    .expected = concat("1 to ", kMaxResults),
                                    .found = concat(results.size())});
  }
  const std::vector<std::vector<ExperimentResult>> groups = by_dataset(results);
  const std::vector<Panel> panels = panels_of(groups);
  Canvas canvas(static_cast<int>(kWidth), static_cast<int>(panels.back().plot.bottom + kFooter));
  canvas.text({32, 48}, "Accuracy over latency, before and after quantization to int8",
              {.size = kTitleSize, .bold = true});
  draw_legend(canvas, {34, 98});
  canvas.text({kPlotRight, 150}, subtitle_of(results),
              {.size = kTickSize, .color = kQuietInk, .horizontal = Align::kEnd});
  const AxisScale x = latency_scale(results);
  for (const Panel& panel : panels) draw_panel(canvas, panel, x, &panel == &panels.back());
  return canvas;
}

}  // namespace qlimit
