#include "experiments/charts/training_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "experiments/charts/axes.h"

namespace qlimit {
namespace {

struct Series {
  std::string name;
  Color color;
  std::vector<std::optional<double>> values;  // one an epoch
};

struct Panel {
  std::string title;
  std::vector<Series> series;
  double min_span;
  std::optional<double> ceiling = {};              // the axis goes no further unless a value does
  std::function<std::string(double)> format = {};  // of the last values; empty: not written
};

Series series_of(const TrainingCurve& curve, std::string name, Color color,
                 std::optional<double> EpochFigures::*figure, double factor) {
  Series series{std::move(name), color, {}};
  for (const EpochFigures& epoch : curve.epochs) {
    const std::optional<double> value = epoch.*figure;
    series.values.push_back(value && std::isfinite(*value) ? std::optional(*value * factor) : std::nullopt);
  }
  return series;
}

// The last epoch (from 1) with a value; 0 if there is none.
size_t last_epoch(const Series& series) {
  size_t epoch = series.values.size();
  while (epoch > 0 && !series.values[epoch - 1]) --epoch;
  return epoch;
}

double last_value(const Series& series) { return *series.values[last_epoch(series) - 1]; }

// The panels that have anything to show.
std::vector<Panel> panels_of(const TrainingCurve& curve) {
  const auto make = [&](const std::string& name, Color color, auto figure, double factor = 1) {
    return series_of(curve, name, color, figure, factor);
  };
  std::vector<Panel> panels = {
      {.title = "Loss",
       .series = {make("train", kBlue, &EpochFigures::train_loss),
                  make(curve.evaluation, kVermilion, &EpochFigures::evaluation_loss)},
       .min_span = 1e-6,
       .format = [](double v) { return fmt::format("{:.3g}", v); }},
      {.title = "Accuracy, %",
       .series = {make("train", kBlue, &EpochFigures::train_accuracy, 100),
                  make(curve.evaluation, kVermilion, &EpochFigures::evaluation_accuracy, 100)},
       .min_span = 0.5,
       .ceiling = 100.0,
       .format = [](double v) { return fmt::format("{:.1f} %", v); }},
      {.title = "Learning rate",
       .series = {make("", kGreen, &EpochFigures::learning_rate)},
       .min_span = 1e-12}};
  std::erase_if(panels, [](Panel& panel) {
    std::erase_if(panel.series, [](const Series& series) { return last_epoch(series) == 0; });
    return panel.series.empty();
  });
  return panels;
}

AxisScale value_scale(const Panel& panel, const Box& plot) {
  double low = INFINITY, high = -INFINITY;
  for (const Series& series : panel.series) {
    for (const auto& value : series.values) {
      if (!value) continue;
      low = std::min(low, *value);
      high = std::max(high, *value);
    }
  }
  ValueRange range = widened(low, high, 0.06, std::max(panel.min_span, 1e-9 * std::abs(high)));
  if (low >= 0) range.low = std::max(range.low, 0.0);
  if (panel.ceiling && high <= *panel.ceiling) range.high = std::min(range.high, *panel.ceiling);
  return AxisScale(range.low, range.high, plot.bottom, plot.top);
}

// The stretches of a curve between gaps.
void draw_curve(Canvas& canvas, const Series& series, const AxisScale& x, const AxisScale& y) {
  std::vector<Point> stretch;
  const auto flush = [&] {
    if (stretch.size() == 1) canvas.disc(stretch[0], 5, series.color);
    canvas.polyline(stretch, 4, series.color);
    stretch.clear();
  };
  for (size_t epoch = 0; epoch < series.values.size(); ++epoch) {
    if (series.values[epoch]) {
      stretch.push_back({x(static_cast<double>(epoch + 1)), y(*series.values[epoch])});
    } else {
      flush();
    }
  }
  flush();
}

std::string end_label(const Panel& panel, const Series& series) {
  if (!panel.format) return series.name;
  const std::string value = panel.format(last_value(series));
  return series.name + " " + value;
}

double label_room(const Panel& panel) {
  double room = 0;
  for (const Series& series : panel.series) {
    room = std::max(room,
                    Canvas::text_box({}, end_label(panel, series), {.size = kLabelSize, .bold = true}).right);
  }
  return room + 24;
}

void draw_panel(Canvas& canvas, const Panel& panel, const Box& plot) {
  const auto epochs = static_cast<double>(panel.series[0].values.size());
  const AxisScale x(epochs > 1 ? 1 : 0, epochs, plot.left, plot.right);
  const AxisScale y = value_scale(panel, plot);
  std::vector<double> epoch_ticks = linear_ticks(x.low(), x.high(), 7);
  std::erase_if(epoch_ticks, [](double tick) { return tick < 1 || tick != std::round(tick); });
  draw_axes(canvas, plot, {.scale = x, .ticks = epoch_ticks, .title = "epoch"},
            {.scale = y, .ticks = linear_ticks(y.low(), y.high(), 8), .title = panel.title});

  std::vector<double> wishes;
  for (const Series& series : panel.series) {
    draw_curve(canvas, series, x, y);
    wishes.push_back(y(last_value(series)));
  }
  const std::vector<double> heights = spread(wishes, kLabelSize * 1.3, plot.top, plot.bottom);
  for (size_t i = 0; i < panel.series.size(); ++i) {
    const double last = static_cast<double>(last_epoch(panel.series[i]));
    canvas.disc({x(last), wishes[i]}, 6, panel.series[i].color);
    canvas.text({plot.right + 14, heights[i]}, end_label(panel, panel.series[i]),
                {.size = kLabelSize, .color = panel.series[i].color, .bold = true});
  }
}

}  // namespace

Canvas draw_training_curve(const TrainingCurve& curve) {
  const std::vector<Panel> panels = panels_of(curve);
  if (panels.empty()) {
    throw Error(ErrorKind::kUsage, {.what = "training curve without a figure to draw",
                                    .where = curve.title,
                                    .expected = "at least one epoch with a finite loss or accuracy",
                                    .found = concat(curve.epochs.size(), " epochs")});
  }
  constexpr double kPlotHeight = 460, kLeft = 92, kTop = 178, kGap = 18;
  const double plot_width = panels.size() < 3 ? 540 : 400;
  double width = kGap;
  std::vector<Box> plots;
  for (const Panel& panel : panels) {
    const double left = width + kLeft;
    plots.push_back({left, kTop, left + plot_width, kTop + kPlotHeight});
    width = plots.back().right + label_room(panel) + kGap;
  }
  const Point title_at = {kGap + 14, 50}, subtitle_at = {kGap + 14, 92};
  const TextStyle title_style = {.size = kTitleSize, .bold = true};
  const TextStyle subtitle_style = {.size = kLabelSize, .color = kQuietInk};
  width = std::max({width, Canvas::text_box(title_at, curve.title, title_style).right + kGap,
                    Canvas::text_box(subtitle_at, curve.subtitle, subtitle_style).right + kGap});
  Canvas canvas(static_cast<int>(std::ceil(width)), static_cast<int>(kTop + kPlotHeight + 96));
  canvas.text(title_at, curve.title, title_style);
  canvas.text(subtitle_at, curve.subtitle, subtitle_style);
  for (size_t i = 0; i < panels.size(); ++i) draw_panel(canvas, panels[i], plots[i]);
  return canvas;
}

void write_training_curve(const std::filesystem::path& path, const TrainingCurve& curve) {
  draw_training_curve(curve).write_png(path);
}

}  // namespace qlimit
