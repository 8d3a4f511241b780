#include "experiments/limit/report/report.h"

#include <functional>
#include <optional>

#include "core/error.h"
#include "experiments/charts/experiment_result.h"
#include "experiments/limit/plan.h"
#include "experiments/limit/report/breaking_point.h"
#include "experiments/limit/report/byte_trade.h"
#include "experiments/limit/report/charts.h"
#include "experiments/limit/report/coverage.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/limit/report/surprises.h"
#include "experiments/limit/report/tables.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

constexpr double kMicroParameters = 10'000;

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

void add_chart(Report& report, const std::string& name, const std::string& says,
               std::optional<Canvas> canvas) {
  std::string& text = report.texts["chart:" + name];
  text = canvas ? concat("![", says, "](", kStudyFolder, "/", name, ".png)\n") : kNoResults;
  if (canvas) report.charts.emplace(name, std::move(*canvas));
}

void add_charts(Report& report, const StudySummary& summary) {
  add_chart(report, "heat_map", "Accuracy lost by size and bits of weights and activations",
            heat_map_of_drops(summary, Ladder::kBoth));
  add_chart(report, "heat_map_weights", "Accuracy lost by size and bits of weights",
            heat_map_of_drops(summary, Ladder::kWeights));
  add_chart(report, "heat_map_activations", "Accuracy lost by size and bits of activations",
            heat_map_of_drops(summary, Ladder::kActivations));
  add_chart(report, "drops", "Accuracy lost over parameters, at four pairs of widths",
            chart_of_drops(summary));
  for (const BitWidths& bits : {BitWidths{4, 4}, BitWidths{4, 8}, BitWidths{8, 4}}) {
    add_chart(report, "recovery_" + lower_case(to_text(bits)),
              "Share of the loss that each remedy recovers at " + to_text(bits),
              chart_of_recovery(summary, bits));
  }
  add_chart(report, "trainings", "Accuracy lost over parameters, without and with training",
            chart_of_trainings(summary));
  add_chart(report, "bytes", "Accuracy over bytes, for weights of several widths", chart_of_bytes(summary));
  add_chart(report, "layers", "Damage of each layer over its signal-to-noise ratio",
            chart_of_layers(summary));
  add_chart(report, "calibration", "Accuracy lost over the number of calibration images",
            chart_of_calibration(summary));
}

void add_tables(Report& report, const StudySummary& summary) {
  report.texts["table:nets"] = table_of_nets(summary);
  report.texts["table:methods"] = table_of_methods(summary);
  report.texts["table:breaking_points"] = table_of_breaking_points(summary);
  report.texts["table:breaking_points_by_method"] = tables_of_breaking_points_by_method(summary);
  for (const BitWidths& bits : {BitWidths{4, 4}, BitWidths{4, 8}, BitWidths{8, 4}})
    report.texts["table:recovery_" + lower_case(to_text(bits))] = table_of_recovery(summary, bits);
  report.texts["table:trainings"] = table_of_trainings(summary);
  report.texts["table:ten_or_twenty"] = table_of_ten_or_twenty(summary);
  report.texts["table:same_bytes"] = table_of_same_bytes(summary);
  report.texts["table:noise"] = table_of_noise(summary);
  report.texts["table:layers"] = tables_of_layers(summary);
  report.texts["table:calibration"] = table_of_calibration(summary);
}

// How many sizes have drops with `min_max`, one a seed, that are so: "3 of 16".
std::string share_of_sizes(const StudySummary& summary, const BitWidths& bits,
                           const std::function<bool(const std::vector<double>&)>& are_so) {
  size_t such = 0, measured = 0;
  for (const NetSize& net : summary.nets()) {
    const std::vector<double> drops = values(summary.drop(net, kBaseline, bits));
    if (drops.size() < 2) continue;
    ++measured;
    such += are_so(drops);
  }
  return measured == 0 ? kUnknown : concat(such, " of ", measured);
}

// How many surely lose more than a point.
std::string broken_text(const StudySummary& summary, const BitWidths& bits) {
  return share_of_sizes(summary, bits, [](const auto& drops) { return surely_exceeds(drops); });
}

// How many surely lose less than a tenth of a point.
std::string below_a_tenth_text(const StudySummary& summary, const BitWidths& bits) {
  return share_of_sizes(summary, bits, [](const auto& drops) { return !possibly_exceeds(drops, 0.1); });
}

// The smallest and the largest mean drop over the sizes: "0.02 to 0.31".
std::string drops_text(const StudySummary& summary, const BitWidths& bits) {
  std::vector<double> means;
  for (const NetSize& net : summary.nets())
    if (const std::optional<Estimate> drop = estimate(summary.drop(net, kBaseline, bits)))
      means.push_back(drop->mean);
  return means.empty() ? kUnknown : range_text(means, 2);
}

// The plain net that the first experiments of this project were about, micro_cifar.
void add_micro(Report& report, const StudySummary& summary) {
  std::string parameters = kUnknown, drop = kUnknown;
  if (!summary.nets("plain").empty()) {
    const NetSize net = nearest_net(summary, "plain", kMicroParameters);
    parameters = thousands(net.parameters);
    const auto lost = estimate(summary.drop(net, kBaseline, {.weights = 8, .activations = 8}));
    if (lost) drop = to_text(lost);
  }
  report.texts["value:micro_parameters"] = parameters;
  report.texts["value:micro_drop_w8a8"] = drop;
}

void add_surprises(Report& report, const StudySummary& summary) {
  constexpr BitWidths kNarrowWeights = {.weights = 4, .activations = 8};
  constexpr BitWidths kNarrowActivations = {.weights = 8, .activations = 4};
  for (const char* method : {"adaround", "weight_mse", "mse_both", "bias"})
    report.texts[concat("value:recovered_by_", method)] = recovered_range(summary, method, kNarrowWeights);
  report.texts["value:recovered_by_adaround_w4a4"] = recovered_range(summary, "adaround", {4, 4}, "lsq");
  for (const BitWidths& bits : {BitWidths{4, 4}, BitWidths{3, 3}, BitWidths{2, 2}})
    for (const char* method : {"qat", "lsq"})
      report.texts[concat("value:recovered_by_", method, "_", lower_case(to_text(bits)))] =
          recovered_range(summary, method, bits);
  report.texts["value:calibration_growth"] = calibration_growth(summary, kNarrowActivations);
  for (const std::string shape : {"plain", "separable"})
    report.texts["value:lead_of_the_larger_" + shape] = lead_of_the_larger_net(summary, shape, "adaround");
  report.texts["value:noise_correlation"] = noise_correlation_text(summary, "plain");
}

void add_values(Report& report, const StudySummary& summary) {
  std::string seeds;
  for (const uint64_t seed : summary.seeds()) seeds += concat(seeds.empty() ? "" : ", ", seed);
  report.texts["value:preset"] = summary.header().preset;
  report.texts["value:data"] = dataset_title(summary.header().data);
  report.texts["value:test_images"] = thousands(summary.header().test_images);
  report.texts["value:coverage"] = coverage_text(summary);
  report.texts["value:trained_on"] = trained_on_text(summary);
  report.texts["value:calibration_images"] =
      thousands(study_plan(summary.header().preset).calibration_images);
  report.texts["value:sizes"] = concat(summary.nets().size());
  report.texts["value:seeds"] = seeds.empty() ? kUnknown : seeds;
  report.texts["value:methods"] = concat(summary.methods().size());
  for (const BitWidths& bits : {BitWidths{8, 8}, BitWidths{6, 6}, BitWidths{4, 8}, BitWidths{4, 4}}) {
    report.texts["value:broken_" + lower_case(to_text(bits))] = broken_text(summary, bits);
    report.texts["value:drops_" + lower_case(to_text(bits))] = drops_text(summary, bits);
  }
  report.texts["value:below_a_tenth_w8a8"] = below_a_tenth_text(summary, {.weights = 8, .activations = 8});
  add_micro(report, summary);
  add_surprises(report, summary);
}

}  // namespace

Report make_report(const StudySummary& summary, const std::vector<ChampionSummary>& champions) {
  Report report;
  add_charts(report, summary);
  add_tables(report, summary);
  add_values(report, summary);
  report.texts["table:champions"] = table_of_champions(champions);
  return report;
}

}  // namespace qlimit
