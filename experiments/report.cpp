#include "experiments/report.h"

#include <fmt/format.h>

#include "experiments/text_table.h"

namespace qlimit {
namespace {

using Json = nlohmann::ordered_json;
using Row = TextRow;

std::string microseconds(double value) { return fmt::format("{:.{}f} us", value, value < 100 ? 1 : 0); }

std::string range_text(const Spread& s) {
  const int digits = s.median < 100 ? 1 : 0;
  return fmt::format("{:.{}f} ... {:.{}f}", s.low, digits, s.high, digits);
}

std::string with_spread(const Spread& s) {
  return fmt::format("{} ({})", microseconds(s.median), range_text(s));
}

std::string accuracy_text(const Evaluation& evaluation) {
  return fmt::format("{:.2f} % +- {:.2f}", 100 * evaluation.accuracy, 100 * evaluation.standard_error);
}

std::string difference_text(const PairedCounts& counts) {
  return fmt::format("{:+.2f} points +- {:.2f}", 100 * paired_difference(counts),
                     100 * paired_standard_error(counts));
}

PairedCounts paired(const RunResult& run) {
  return compare_outcomes(run.fp32.evaluation.outcomes, run.int8.evaluation.outcomes);
}

std::string size_ratio(int64_t fp32, int64_t int8) {
  return fmt::format("{:.2f} x the size", static_cast<double>(int8) / static_cast<double>(fp32));
}

Row size_row(const TfliteLedger& fp32, const TfliteLedger& int8) {
  const auto text = [](const TfliteLedger& file) {
    return file.total() > 0 ? thousands(file.total()) : "no .tflite form";
  };
  const bool both = fp32.total() > 0 && int8.total() > 0;
  return {"model bytes", text(fp32), text(int8), both ? size_ratio(fp32.total(), int8.total()) : ""};
}

std::string mcnemar_text(const RunResult& run) {
  const PairedCounts counts = paired(run);
  return fmt::format(
      "McNemar's test: of {} test images, fp32 alone recognizes {} and int8 alone {}: p = {:.3f} (mid-p).\n",
      thousands(counts.total), thousands(counts.only_first), thousands(counts.only_second),
      mcnemar_mid_p(counts));
}

// ---- JSON ----

Json to_json(const Spread& s) { return {{"median", s.median}, {"low", s.low}, {"high", s.high}}; }
Json to_json(const Interval& i) { return {{"low", i.low}, {"high", i.high}}; }

// The size of a model is that of its file.
void add_file(Json& json, const TfliteLedger& file) {
  if (file.total() == 0) return;
  json["model_bytes"] = file.total();
  json["ledger"] = {{"weights", file.weights},
                    {"biases", file.biases},
                    {"quantization", file.quantization},
                    {"structure", file.structure}};
}

Json to_json(const EngineFigures& figures) {
  Json json = {{"accuracy", figures.evaluation.accuracy},
               {"standard_error", figures.evaluation.standard_error},
               {"latency_us", to_json(figures.latency_us)},
               {"throughput", figures.throughput},
               {"confusion", figures.evaluation.confusion}};
  add_file(json, figures.file);
  return json;
}

Json to_json(const PairedCounts& counts) {
  return {{"only_fp32", counts.only_first},
          {"only_int8", counts.only_second},
          {"images", counts.total},
          {"difference", paired_difference(counts)},
          {"standard_error", paired_standard_error(counts)},
          {"exact_p", mcnemar_exact_p(counts)},
          {"mid_p", mcnemar_mid_p(counts)}};
}

Json training_json(const RunResult& run) {
  Json epochs = Json::array();
  for (const EpochRecord& r : run.history) {
    epochs.push_back({{"train_loss", r.train_loss},
                      {"train_accuracy", r.train_accuracy},
                      {"evaluation_accuracy", r.evaluation_accuracy},
                      {"learning_rate", r.learning_rate}});
  }
  return {{"seconds", run.training_seconds},
          {"images_per_second", run.images_per_second},
          {"loader_share", run.cost.loader_share},
          {"peak_tensor_bytes", run.cost.peak_tensor_bytes},
          {"peak_resident_bytes", run.cost.peak_resident_bytes},
          {"epochs", epochs}};
}

// ---- several seeds ----

// One figure over all runs.
struct Column {
  std::string name;
  std::vector<double> values;
};

std::vector<Column> columns(const std::vector<RunResult>& runs) {
  std::vector<Column> all = {{"fp32", {}}, {"int8", {}}, {"difference", {}}};
  for (const RunResult& run : runs) {
    all[0].values.push_back(run.fp32.evaluation.accuracy);
    all[1].values.push_back(run.int8.evaluation.accuracy);
    all[2].values.push_back(paired_difference(paired(run)));
  }
  return all;
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string points(double share) { return fmt::format("{:+.2f}", 100 * share); }

}  // namespace

std::string cost_text(const TrainingCost& cost) {
  const auto mebibytes = [](int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format(
      "training: waited for the loader {:.1f} % of the time; at most {:.1f} MiB in tensors, {:.0f} MiB "
      "resident\n",
      100 * cost.loader_share, mebibytes(cost.peak_tensor_bytes), mebibytes(cost.peak_resident_bytes));
}

std::string comparison_table(const RunResult& run, const ExperimentContext& context) {
  const EngineFigures &fp32 = run.fp32, &int8 = run.int8;
  const auto ratio = [](double int8_share, const char* of_what) {
    return fmt::format("{:.2f} x the {}", int8_share, of_what);
  };
  const auto speed = [](const EngineFigures& f) {
    return thousands(static_cast<int64_t>(f.throughput)) + " images/s";
  };
  return text_table({{"", "fp32", "int8", "int8 against fp32"},
                     {"parameters", thousands(run.parameters), thousands(run.parameters), "equal"},
                     {"test accuracy", accuracy_text(fp32.evaluation), accuracy_text(int8.evaluation),
                      difference_text(paired(run))},
                     {"latency of one image", with_spread(fp32.latency_us), with_spread(int8.latency_us),
                      ratio(fp32.latency_us.median / int8.latency_us.median, "speed")},
                     {fmt::format("throughput, batch {}", context.throughput_batch), speed(fp32), speed(int8),
                      ratio(int8.throughput / fp32.throughput, "speed")},
                     size_row(fp32.file, int8.file)}) +
         mcnemar_text(run);
}

std::string latency_table(const RunResult& run) {
  const double base = run.training_graph.latency_us.median;
  const auto row = [&](const char* name, const Spread& s) {
    return Row{name, microseconds(s.median), range_text(s), fmt::format("{:.2f} x", base / s.median)};
  };
  return text_table({{"latency of one image", "median", "5 % ... 95 %", "speed"},
                     row("training graph, forward", run.training_graph.latency_us),
                     row("compiled fp32", run.fp32.latency_us),
                     row("int8", run.int8.latency_us)});
}

std::string ledger_table(const RunResult& run) {
  const TfliteLedger &fp32 = run.fp32.file, &int8 = run.int8.file;
  if (fp32.total() == 0 || int8.total() == 0) return "";
  const auto row = [](const char* name, int64_t fp32_bytes, int64_t int8_bytes) {
    return Row{name, thousands(fp32_bytes), thousands(int8_bytes)};
  };
  return text_table({{"bytes of the .tflite file", "fp32", "int8"},
                     row("weights", fp32.weights, int8.weights),
                     row("biases", fp32.biases, int8.biases),
                     row("scales and zero points", fp32.quantization, int8.quantization),
                     row("structure", fp32.structure, int8.structure),
                     row("together", fp32.total(), int8.total())});
}

std::string noise_table(const RunResult& run) {
  std::vector<Row> rows = {{"value", "computed by", "signal to quantization noise"}};
  for (const LayerNoise& n : run.noise)
    rows.push_back({n.name, n.operation, fmt::format("{:.1f} dB", n.sqnr_db)});
  return text_table(rows);
}

std::string seeds_table(const std::vector<RunResult>& runs) {
  std::vector<Row> rows = {{"seed", "fp32", "int8", "difference (points)", "McNemar p"}};
  for (const RunResult& run : runs) {
    const PairedCounts counts = paired(run);
    rows.push_back({fmt::format("{}", run.seed), percent(run.fp32.evaluation.accuracy),
                    percent(run.int8.evaluation.accuracy), points(paired_difference(counts)),
                    fmt::format("{:.3f}", mcnemar_mid_p(counts))});
  }
  Row means = {"mean"}, deviations = {"deviation"}, intervals = {"95 % interval"};
  for (const Column& column : columns(runs)) {
    const bool signed_points = column.name == "difference";
    const auto text = [&](double share) { return signed_points ? points(share) : percent(share); };
    const Interval interval = student_interval(column.values, kConfidence);
    means.push_back(text(mean(column.values)));
    deviations.push_back(fmt::format("{:.2f}", 100 * standard_deviation(column.values)));
    intervals.push_back(text(interval.low) + " ... " + text(interval.high));
  }
  rows.insert(rows.end(), {means, deviations, intervals});
  return text_table(rows);
}

std::string accuracy_objection(double percent, double required) {
  if (percent >= 100) return "all test images are recognized, which is too good to be true";
  if (percent >= required) return "";
  return fmt::format("{:.2f} % of the test images are recognized, less than the {} % required", percent,
                     required);
}

Json to_json(const Machine& machine) {
  return {{"processor", machine.processor},
          {"instruction_set", machine.instruction_set},
          {"processors", machine.processors},
          {"system", machine.system},
          {"compiler", machine.compiler}};
}

Json to_json(const RunResult& run, const ExperimentContext& context) {
  Json noise = Json::array();
  for (const LayerNoise& n : run.noise)
    noise.push_back({{"value", n.name}, {"operation", n.operation}, {"decibels", n.sqnr_db}});
  Json settings;
  for (const auto& [name, value] : context.settings) settings[name] = value;
  settings["seed"] = fmt::format("{}", run.seed);
  return {{"experiment", context.experiment},
          {"dataset", context.dataset},
          {"seed", run.seed},
          {"parameters", run.parameters},
          {"multiply_adds", run.multiply_adds},
          {"fp32", to_json(run.fp32)},
          {"int8", to_json(run.int8)},
          {"training_graph", to_json(run.training_graph)},
          {"throughput_batch", context.throughput_batch},
          {"mcnemar", to_json(paired(run))},
          {"signal_to_quantization_noise", noise},
          {"training", training_json(run)},
          {"settings", settings},
          {"threads", context.threads},
          {"machine", to_json(context.machine)},
          {"git_revision", context.machine.git_revision}};
}

Json to_json(const std::vector<RunResult>& runs, const ExperimentContext& context) {
  Json seeds;
  for (const RunResult& run : runs) {
    seeds["runs"].push_back({{"seed", run.seed},
                             {"fp32", run.fp32.evaluation.accuracy},
                             {"int8", run.int8.evaluation.accuracy},
                             {"mcnemar", to_json(paired(run))}});
  }
  for (const Column& column : columns(runs)) {
    seeds[column.name] = {{"mean", mean(column.values)},
                          {"deviation", standard_deviation(column.values)},
                          {"interval_95", to_json(student_interval(column.values, kConfidence))}};
  }
  Json all = to_json(runs.front(), context);
  all["seeds"] = seeds;
  return all;
}

}  // namespace qlimit
