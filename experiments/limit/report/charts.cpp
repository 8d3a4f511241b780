#include "experiments/limit/report/charts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "experiments/charts/band_chart.h"
#include "experiments/charts/dot_chart.h"
#include "experiments/charts/heat_map.h"
#include "experiments/charts/scatter_chart.h"
#include "experiments/limit/report/byte_trade.h"
#include "experiments/limit/report/recovery.h"
#include "experiments/limit/report/sensitivity.h"
#include "experiments/limit/report/trainings.h"
#include "quant/affine.h"

namespace qlimit {
namespace {

constexpr double kDropFloor = 0.05;  // points: half a promille of the images
constexpr double kLeastDropOfTrainings = 0.5;
constexpr double kDeepestDrop = 60;       // points
constexpr double kWorstShareShown = -60;  // percent
// A dead layer has no signal, which stands as -200 dB in the results: it is drawn at the edge.
constexpr ValueRange kShownDecibels = {-20, 60};
const ReferenceLine kOnePoint = {.value = kBreakingDrop, .name = "one point"};

// "790", "1.6k", "23k"
std::string short_count(int64_t count) {
  if (count < 1000) return concat(count);
  const double thousand = static_cast<double>(count) / 1000;
  return fmt::format("{:.{}f}k", thousand, thousand < 9.95 ? 1 : 0);
}

std::string seeds_text(const StudySummary& summary) {
  size_t fewest = summary.seeds().size(), most = 0;
  for (const NetSize& net : summary.nets()) {
    const size_t count = summary.fp32(net).size();
    fewest = std::min(fewest, count);
    most = std::max(most, count);
  }
  return concat(fewest < most ? concat(fewest, " to ") : "", most, most == 1 ? " seed" : " seeds");
}

std::optional<ValueRange> band_of(const Estimate& estimate) {
  if (!estimate.interval) return std::nullopt;
  return ValueRange{estimate.interval->low, estimate.interval->high};
}

void add_point(BandCurve& curve, double x, const BySeed& by_seed) {
  if (const std::optional<Estimate> y = estimate(by_seed))
    curve.points.push_back({.x = x, .y = y->mean, .band = band_of(*y)});
}

// A curve for each method, whose points `add_points(curve, method)` adds.
template <typename AddPoints>
BandPanel panel_of_methods(const std::string& title, const std::vector<std::string>& methods,
                           const AddPoints& add_points) {
  BandPanel panel{.title = title};
  for (const std::string& method : methods) {
    panel.curves.push_back({.name = method, .color = series_color(panel.curves.size())});
    add_points(panel.curves.back(), method);
  }
  return panel;
}

// Without the curves and the panels that have no points.
std::optional<Canvas> draw(BandChart chart) {
  for (BandPanel& panel : chart.panels)
    std::erase_if(panel.curves, [](const BandCurve& curve) { return curve.points.empty(); });
  std::erase_if(chart.panels, [](const BandPanel& panel) { return panel.curves.empty(); });
  if (chart.panels.empty()) return std::nullopt;
  return draw_band_chart(chart);
}

HeatCell heat_cell(const BySeed& drop) {
  const std::optional<Estimate> mean = estimate(drop);
  if (!mean) return {};
  return {.value = mean->mean, .framed = mean->count >= 2 && surely_exceeds(values(drop))};
}

HeatPanel heat_panel(const StudySummary& summary, const std::string& shape, Ladder ladder) {
  HeatPanel panel{.title = shape};
  const std::vector<NetSize> nets = summary.nets(shape);
  for (const NetSize& net : nets) panel.columns.push_back(short_count(net.parameters));
  for (int bits = kMostBits; bits >= kLeastBits; --bits) {
    std::vector<HeatCell> row;
    for (const NetSize& net : nets)
      row.push_back(heat_cell(summary.drop(net, kBaseline, ladder_widths(ladder, bits))));
    const bool any =
        std::any_of(row.begin(), row.end(), [](const HeatCell& c) { return c.value.has_value(); });
    if (!any) continue;
    panel.rows.push_back(concat(bits, " bits"));
    panel.cells.insert(panel.cells.end(), row.begin(), row.end());
  }
  return panel;
}

BandCurve accuracy_over_bytes(const StudySummary& summary, const std::string& shape,
                              const std::string& method, const BitWidths& bits, Color color) {
  const std::string name = to_text(bits);
  BandCurve curve{.name = method == kBaseline ? name : name + " " + method, .color = color};
  for (const NetSize& net : summary.nets(shape))
    if (const std::optional<double> bytes = summary.bytes(net, method, bits.weights))
      add_point(curve, *bytes, summary.accuracy(net, method, bits));
  for (BandPoint& point : curve.points)  // Student's interval knows no bounds, accuracy does
    if (point.band) point.band = {std::max(point.band->low, 0.0), std::min(point.band->high, 100.0)};
  return curve;
}

// The mean drop of the nets of a shape that tried calibration sets.
BySeed calibration_drop(const StudySummary& summary, const std::string& shape, const std::string& method,
                        int64_t images, const BitWidths& bits) {
  std::vector<BySeed> nets;
  for (const NetSize& net : summary.nets(shape)) {
    const BySeed drop = summary.calibration_drop(net, method, images, bits);
    if (!drop.empty()) nets.push_back(drop);
  }
  BySeed mean = sum(nets);
  for (auto& [seed, drop] : mean) drop /= static_cast<double>(nets.size());
  return mean;
}

std::vector<LegendEntry> size_legend() {
  const Color colors[] = {kOrange, kGreen, kBlue};
  std::vector<LegendEntry> legend;
  for (const SizeGroup& group : size_groups()) legend.push_back({group.name, colors[legend.size() % 3]});
  return legend;
}

// The row of a remedy; empty if it has no dot.
std::optional<DotRow> recovery_row(const StudySummary& summary, const std::string& method,
                                   const BitWidths& bits) {
  DotRow row{.name = method == kBaseline ? "one scale a channel" : method};
  bool any = false;
  for (const std::string& shape : summary.shapes()) {
    std::vector<Dot>& dots = row.panels.emplace_back();
    for (size_t group = 0; group < size_groups().size(); ++group) {
      const auto share = estimate(recovered_share(summary, shape, size_groups()[group], method, bits));
      if (share) dots.push_back({.group = group, .value = share->mean, .range = band_of(*share)});
      any = any || share;
    }
  }
  return any ? std::optional(row) : std::nullopt;
}

}  // namespace

std::optional<Canvas> heat_map_of_drops(const StudySummary& summary, Ladder ladder) {
  HeatMap map{
      .title = concat("Where does quantization break? Bits of ", ladder_name(ladder)),
      .subtitle = concat("accuracy lost, points: fp32 less integers, by minimum and maximum, mean of ",
                         seeds_text(summary), "\nframed: more than one point with 95 % confidence"),
      .x_title = "parameters",
      .deepest = kDeepestDrop};
  for (const std::string& shape : summary.shapes()) {
    HeatPanel panel = heat_panel(summary, shape, ladder);
    if (!panel.rows.empty()) map.panels.push_back(std::move(panel));
  }
  if (map.panels.empty()) return std::nullopt;
  return draw_heat_map(map);
}

std::optional<Canvas> chart_of_drops(const StudySummary& summary) {
  const std::pair<BitWidths, Color> curves[] = {
      {{4, 4}, kVermilion}, {{4, 8}, kOrange}, {{6, 6}, kGreen}, {{8, 8}, kBlue}};
  BandChart chart{.title = "How much is lost, and does it depend on the size?",
                  .subtitle = concat("minimum and maximum, one scale a channel; mean and 95 % interval of ",
                                     seeds_text(summary)),
                  .x_title = "parameters",
                  .y_title = "drop, points",
                  .y_floor = kDropFloor,
                  .reference = kOnePoint};
  for (const std::string& shape : summary.shapes()) {
    BandPanel& panel = chart.panels.emplace_back(BandPanel{.title = shape});
    for (const auto& [bits, color] : curves) {
      BandCurve& curve = panel.curves.emplace_back(BandCurve{.name = to_text(bits), .color = color});
      for (const NetSize& net : summary.nets(shape))
        add_point(curve, static_cast<double>(net.parameters), summary.drop(net, kBaseline, bits));
    }
  }
  return draw(std::move(chart));
}

std::optional<Canvas> chart_of_recovery(const StudySummary& summary, const BitWidths& bits) {
  DotChart chart{.title = concat("What does each remedy recover at ", to_text(bits), "?"),
                 .subtitle = concat(
                     "share of the loss by minimum and maximum that is recovered: 0 no help, 100 as good as "
                     "fp32\nmean and 95 % interval of ",
                     seeds_text(summary), "; a triangle: beyond the edge"),
                 .x_title = "recovered, %",
                 .shown = {kWorstShareShown, 110},
                 .references = {0, 100},
                 .groups = size_legend(),
                 .panels = summary.shapes()};
  for (const std::string& method : summary.methods())
    if (const auto row = recovery_row(summary, method, bits)) chart.rows.push_back(*row);
  if (chart.rows.empty()) return std::nullopt;
  return draw_dot_chart(chart);
}

std::optional<Canvas> chart_of_trainings(const StudySummary& summary) {
  BandChart chart{
      .title = "What does training with quantization save?",
      .subtitle = concat("drop in points against the net before it; mean and 95 % interval of up to ",
                         seeds_text(summary)),
      .x_title = "parameters",
      .y_title = "points",
      .y_floor = kLeastDropOfTrainings,
      .reference = kOnePoint,
      .columns = 3};
  for (const std::string& shape : summary.shapes()) {
    for (const BitWidths& bits : widths_of_trainings(summary)) {
      if (bits.weights != bits.activations) continue;
      chart.panels.push_back(panel_of_methods(
          concat(shape, ", ", to_text(bits)), compared_with_trainings(summary),
          [&](BandCurve& curve, const std::string& method) {
            for (const NetSize& net : nets_with_trainings(summary, shape))
              add_point(curve, static_cast<double>(net.parameters), summary.drop(net, method, bits));
          }));
    }
  }
  return draw(std::move(chart));
}

std::optional<Canvas> chart_of_bytes(const StudySummary& summary) {
  const std::pair<int, Color> curves[] = {{8, kBlue}, {6, kGreen}, {4, kOrange}, {3, kVermilion}};
  BandChart chart{.title = "Fewer bits or fewer parameters?",
                  .subtitle = concat("weights of 8 to 3 bits, activations of 8; mean and 95 % interval of ",
                                     seeds_text(summary), "\ngrey: the most accurate for the bytes"),
                  .x_title = "bytes of all constants, weights packed",
                  .y_title = "test accuracy, %",
                  .draws_front = true};
  for (const std::string& shape : summary.shapes()) {
    BandPanel& panel = chart.panels.emplace_back(BandPanel{.title = shape});
    for (const auto& [bits, color] : curves)
      panel.curves.push_back(accuracy_over_bytes(summary, shape, kBaseline, {bits, kMostBits}, color));
    const std::string best = best_remedy(summary, shape, {4, kMostBits});
    if (!best.empty())
      panel.curves.push_back(accuracy_over_bytes(summary, shape, best, {4, kMostBits}, kPurple));
  }
  return draw(std::move(chart));
}

std::optional<Canvas> chart_of_layers(const StudySummary& summary) {
  const std::optional<int> bits = narrow_layer_bits(summary);
  if (!bits) return std::nullopt;
  ScatterChart chart{.title = "Does a layer's noise tell its damage?",
                     .subtitle = concat("each dot: one layer in ", *bits, " bits, all others in 8, mean of ",
                                        seeds_text(summary)),
                     .x_title = "signal to quantization noise of the layer's output, dB",
                     .y_title = "lost, points",
                     .y_floor = kDropFloor,
                     .groups = size_legend()};
  for (const std::string& shape : summary.shapes()) {
    ScatterPanel panel{.title = shape};
    for (const LayerMean& layer : layer_means(summary, shape))
      panel.points.push_back({.x = std::clamp(layer.sqnr_db, kShownDecibels.low, kShownDecibels.high),
                              .y = layer.damage,
                              .group = size_group_of(layer.net)});
    const std::optional<Estimate> correlation = mean_noise_correlation(summary, shape);
    if (correlation) panel.note = "rank correlation " + to_text(correlation);
    if (!panel.points.empty()) chart.panels.push_back(std::move(panel));
  }
  if (chart.panels.empty()) return std::nullopt;
  return draw_scatter_chart(chart);
}

std::optional<Canvas> chart_of_calibration(const StudySummary& summary) {
  BandChart chart{.title = "How many calibration images does it take?",
                  .subtitle = concat("drop, mean of the sizes that were tried, and 95 % interval of ",
                                     seeds_text(summary)),
                  .x_title = "calibration images",
                  .y_title = "drop, points",
                  .shares_y = false,
                  .columns = std::max<size_t>(1, summary.shapes().size())};
  for (const BitWidths& bits : summary.calibration_points()) {
    for (const std::string& shape : summary.shapes()) {
      chart.panels.push_back(
          panel_of_methods(concat(shape, ", ", to_text(bits)), summary.calibration_methods(),
                           [&](BandCurve& curve, const std::string& method) {
                             for (const int64_t images : summary.calibration_sizes())
                               add_point(curve, static_cast<double>(images),
                                         calibration_drop(summary, shape, method, images, bits));
                           }));
    }
  }
  return draw(std::move(chart));
}

}  // namespace qlimit
