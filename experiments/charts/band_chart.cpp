#include "experiments/charts/band_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "experiments/charts/chart_layout.h"
#include "experiments/charts/label_placement.h"
#include "experiments/charts/pareto_front.h"

namespace qlimit {
namespace {

constexpr double kLineWidth = 4, kDotRadius = 6;
constexpr double kBandOpacity = 0.18;
constexpr double kFrontWidth = 20;
const Color kFrontColor = rgb(0xDADDE1);
constexpr double kPanelHeight = 470, kLowPanelHeight = 340;  // low ones where there are several rows

void check(const BandChart& chart) {
  const auto refuse = [&](const std::string& panel, const char* expected) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "cannot draw these curves", .where = chart.title + ", " + panel, .expected = expected});
  };
  if (chart.panels.empty() || chart.columns == 0) refuse("", "at least one panel");
  for (const BandPanel& panel : chart.panels) {
    bool any = false;
    for (const BandCurve& curve : panel.curves) {
      double before = 0;
      for (const BandPoint& point : curve.points) {
        const ValueRange band = point.band.value_or(ValueRange{point.y, point.y});
        const bool finite = std::isfinite(point.x) && std::isfinite(point.y) && std::isfinite(band.low) &&
                            std::isfinite(band.high);
        if (!finite || !(point.x > before)) refuse(panel.title, "finite numbers, and x positive and rising");
        before = point.x;
        any = true;
      }
    }
    if (!any) refuse(panel.title, "at least one point");
  }
}

RangeOfValues xs_of(const BandChart& chart) {
  RangeOfValues xs;
  for (const BandPanel& panel : chart.panels)
    for (const BandCurve& curve : panel.curves)
      for (const BandPoint& point : curve.points) xs.add(point.x);
  return xs;
}

void add_ys(const BandPanel& panel, RangeOfValues& ys) {
  for (const BandCurve& curve : panel.curves) {
    for (const BandPoint& point : curve.points) {
      ys.add(point.y);
      if (point.band) ys.add(point.band->low), ys.add(point.band->high);
    }
  }
}

RangeOfValues ys_of(const BandChart& chart, const BandPanel& panel) {
  RangeOfValues ys;
  if (chart.reference) ys.add(chart.reference->value);
  if (!chart.shares_y) add_ys(panel, ys);
  if (chart.shares_y)
    for (const BandPanel& each : chart.panels) add_ys(each, ys);
  return ys;
}

// The interval between two neighbours is a trapezoid with upright sides. These fall on the edges of pixels,
// so that no seam shows between two trapezoids.
void draw_band(Canvas& canvas, const BandCurve& curve, const AxisScale& x, const ValueAxis& y) {
  Color color = curve.color;
  color.a = kBandOpacity;
  for (size_t i = 0; i + 1 < curve.points.size(); ++i) {
    const BandPoint &from = curve.points[i], &to = curve.points[i + 1];
    if (!from.band || !to.band) continue;
    const double left = std::round(x(from.x)), right = std::round(x(to.x));
    const std::vector<Point> corners = {{left, y.at(from.band->low)},
                                        {right, y.at(to.band->low)},
                                        {right, y.at(to.band->high)},
                                        {left, y.at(from.band->high)}};
    canvas.convex_polygon(corners, color);
  }
}

void draw_line(Canvas& canvas, const BandCurve& curve, const AxisScale& x, const ValueAxis& y) {
  std::vector<Point> points;
  for (const BandPoint& point : curve.points) points.push_back({x(point.x), y.at(point.y)});
  canvas.polyline(points, kLineWidth, curve.color);
  for (const Point& point : points) canvas.disc(point, kDotRadius, curve.color);
}

void draw_names(Canvas& canvas, const BandPanel& panel, const Box& plot, const ValueAxis& y) {
  std::vector<const BandCurve*> curves;
  std::vector<double> wishes;
  for (const BandCurve& curve : panel.curves) {
    if (curve.points.empty()) continue;
    curves.push_back(&curve);
    wishes.push_back(y.at(curve.points.back().y));
  }
  const std::vector<double> heights = spread(wishes, kLabelSize * 1.3, plot.top, plot.bottom + 12);
  for (size_t i = 0; i < curves.size(); ++i) {
    canvas.text({plot.right + 14, heights[i]}, curves[i]->name,
                {.size = kLabelSize, .color = curves[i]->color, .bold = true});
  }
}

std::vector<Box> boxes_of(const BandPanel& panel, const AxisScale& x, const ValueAxis& y) {
  std::vector<Box> boxes;
  for (const BandCurve& curve : panel.curves) {
    for (size_t i = 0; i + 1 < curve.points.size(); ++i) {
      const BandPoint &from = curve.points[i], &to = curve.points[i + 1];
      const std::vector<Box> along =
          boxes_along({x(from.x), y.at(from.y)}, {x(to.x), y.at(to.y)}, 2 * kDotRadius);
      boxes.insert(boxes.end(), along.begin(), along.end());
    }
  }
  return boxes;
}

// Its name stands at its left or right end, above or below it: where the curves cover least of the name.
void draw_reference(Canvas& canvas, const ReferenceLine& reference, const Box& plot, double at,
                    const std::vector<Box>& curves) {
  const std::vector<Point> ends = {{plot.left, at}, {plot.right, at}};
  canvas.dashed_polyline(ends, 2.5, 13, 9, kQuietInk);
  Point best;
  TextStyle style_of_best;
  double least = std::numeric_limits<double>::infinity();
  for (const Align vertical : {Align::kEnd, Align::kStart}) {
    for (const Align horizontal : {Align::kStart, Align::kEnd}) {
      const TextStyle style = {
          .size = kTickSize, .color = kQuietInk, .horizontal = horizontal, .vertical = vertical};
      const Point anchor = {horizontal == Align::kStart ? plot.left + 8 : plot.right - 8,
                            vertical == Align::kEnd ? at - 8 : at + 8};
      const Box box = Canvas::text_box(anchor, reference.name, style);
      if (box.top < plot.top || box.bottom > plot.bottom) continue;
      double covered = 0;
      for (const Box& curve : curves) covered += box.overlap(curve);
      if (covered >= least) continue;
      least = covered;
      best = anchor;
      style_of_best = style;
    }
  }
  if (std::isfinite(least)) canvas.text(best, reference.name, style_of_best);
}

// Joins the points that no other beats with less x and more y, below the curves.
void draw_front(Canvas& canvas, const BandPanel& panel, const AxisScale& x, const ValueAxis& y) {
  std::vector<Trade> trades;  // x is what is paid, whatever it is
  for (const BandCurve& curve : panel.curves)
    for (const BandPoint& point : curve.points) trades.push_back({.latency = point.x, .accuracy = point.y});
  std::vector<Point> front;
  for (const size_t index : pareto_front(trades))
    front.push_back({x(trades[index].latency), y.at(trades[index].accuracy)});
  canvas.polyline(front, kFrontWidth, kFrontColor);
}

double name_room(const BandChart& chart) {
  double room = 0;
  for (const BandPanel& panel : chart.panels)
    for (const BandCurve& curve : panel.curves)
      room = std::max(room, Canvas::text_box({}, curve.name, {.size = kLabelSize, .bold = true}).right);
  return room + 32;
}

void draw_panel(Canvas& canvas, const BandChart& chart, const BandPanel& panel, const Box& plot) {
  const Axis x = logarithmic_axis(xs_of(chart), plot, chart.x_title);
  const RangeOfValues ys = ys_of(chart, panel);
  const ValueAxis y(ys.low(), ys.high(), chart.y_floor, plot);
  y.draw(canvas, plot, x, panel.title.empty() ? chart.y_title : panel.title + ": " + chart.y_title);
  if (chart.draws_front) draw_front(canvas, panel, x.scale, y);
  for (const BandCurve& curve : panel.curves) draw_band(canvas, curve, x.scale, y);
  if (chart.reference)
    draw_reference(canvas, *chart.reference, plot, y.at(chart.reference->value), boxes_of(panel, x.scale, y));
  for (const BandCurve& curve : panel.curves)
    if (!curve.points.empty()) draw_line(canvas, curve, x.scale, y);
  draw_names(canvas, panel, plot, y);
}

}  // namespace

Canvas draw_band_chart(const BandChart& chart) {
  check(chart);
  const ChartHeading heading = {.title = chart.title, .subtitle = chart.subtitle};
  const PanelGrid grid = {.columns = std::min(chart.columns, chart.panels.size()),
                          .top = heading_height(heading) + 62,
                          .height = chart.panels.size() > chart.columns ? kLowPanelHeight : kPanelHeight,
                          .right = name_room(chart)};
  const std::vector<Box> plots = panel_boxes(chart.panels.size(), grid);
  Canvas canvas(kChartWidth, chart_height(chart.panels.size(), grid));
  draw_heading(canvas, heading);
  for (size_t i = 0; i < plots.size(); ++i) draw_panel(canvas, chart, chart.panels[i], plots[i]);
  return canvas;
}

}  // namespace qlimit
