#include "experiments/inference/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

#include "core/error.h"
#include "experiments/report.h"
#include "experiments/text_table.h"
#include "quant/cost.h"

namespace qlimit {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kWidestName = 32;
constexpr int64_t kShownAnswers = 3;

// A tensor's name as far as a table has room: converters join the names of fused layers with semicolons.
std::string short_name(const std::string& name) {
  std::string first = name.substr(0, name.find(';'));
  std::replace_if(
      first.begin(), first.end(), [](unsigned char c) { return std::iscntrl(c); }, '?');
  return first.size() <= kWidestName ? first : ".." + first.substr(first.size() - kWidestName + 2);
}

const char* kernels_name(Kernels kernels) { return kernels == Kernels::kFast ? "fast" : "reference"; }

const char* type_text(DataType type) { return type == DataType::kInt8 ? "int8" : "float32"; }

std::string operation_text(const Op& op) {
  const Activation* activation = fused_activation(op);
  const bool fused = activation && *activation != Activation::kNone;
  return op_name(op) + (fused ? concat(" + ", activation_name(*activation)) : "");
}

// Number, name, operation, shape, type, scale, zero point of a value.
TextRow value_row(const QuantizedModel& model, size_t number, ValueId id, const std::string& operation) {
  const Value& value = model.graph().value(id);
  const bool quantized = value.type == DataType::kInt8;
  return {fmt::format("{}", number),
          short_name(value.name),
          operation,
          value.shape.to_string(),
          type_text(value.type),
          quantized ? fmt::format("{:.6g}", model.params(id).scale) : "",
          quantized ? fmt::format("{}", model.params(id).zero_point) : ""};
}

std::string graph_table(const QuantizedModel& model) {
  const Graph& graph = model.graph();
  std::vector<TextRow> rows = {
      {"", "value", "operation", "output", "type", "scale", "zero", "constants", "multiply-adds"},
      value_row(model, 0, graph.input, "input")};
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const NodeCost cost = node_cost(model.quantized(), i);
    rows.push_back(value_row(model, i + 1, graph.nodes[i].output, operation_text(graph.nodes[i].op)));
    rows.back().push_back(thousands(cost.constant_bytes));
    rows.back().push_back(thousands(cost.multiply_adds));
  }
  const NodeCost total = total_cost(model.quantized());
  rows.push_back(
      {"", "total", "", "", "", "", "", thousands(total.constant_bytes), thousands(total.multiply_adds)});
  return text_table(rows, 4);
}

// The peak of the arithmetic that a node is computed in.
double peak_of(const Peaks& peaks, const QuantizedModel& model, const Node& node) {
  return model.quantized().is_int8(node.output) ? peaks.int8 : peaks.real;
}

// The outputs of one row as real numbers.
std::vector<double> real_row(const NpyArray& output, int64_t row, const QuantizedModel& model) {
  return std::visit(
      [&](const auto& values) {
        const int64_t size = values.size() / values.dim(0);
        const auto* begin = values.data() + row * size;
        std::vector<double> reals(begin, begin + size);
        if (std::holds_alternative<Tensor<int8_t>>(output)) {
          const AffineParams p = model.params(model.graph().output);
          for (double& x : reals) x = (x - p.zero_point) * p.scale;
        }
        return reals;
      },
      output);
}

Json graph_json(const QuantizedModel& model, const std::optional<Timing>& timing) {
  const Graph& graph = model.graph();
  Json layers = Json::array();
  const auto add = [&](size_t number, ValueId id, const std::string& operation) {
    const Value& value = graph.value(id);
    Json layer = {{"number", number},
                  {"value", value.name},
                  {"operation", operation},
                  {"shape", std::vector<int64_t>(value.shape.begin(), value.shape.end())},
                  {"type", type_text(value.type)}};
    if (value.type == DataType::kInt8) {
      layer["scale"] = model.params(id).scale;
      layer["zero_point"] = model.params(id).zero_point;
    }
    layers.push_back(layer);
  };
  add(0, graph.input, "input");
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const NodeCost cost = node_cost(model.quantized(), i);
    add(i + 1, graph.nodes[i].output, operation_text(graph.nodes[i].op));
    layers.back()["constant_bytes"] = cost.constant_bytes;
    layers.back()["multiply_adds"] = cost.multiply_adds;
    if (!timing) continue;
    if (timing->nodes[i].with_next) {
      layers.back()["computed_with_next"] = true;
    } else {
      layers.back()["microseconds"] = timing->nodes[i].us;
    }
  }
  return layers;
}

Json comparison_json(const ComparisonResult& comparison) {
  Json tensors = Json::array();
  for (const TensorComparison& t : comparison.tensors) {
    Json tensor = {{"tensor", t.name}, {"equal", t.equal()}};
    if (!t.problem.empty()) {
      tensor["problem"] = t.problem;
    } else {
      tensor.update(
          {{"elements", t.elements}, {"differing", t.differing}, {"differing_bytes", t.differing_bytes}});
      if (t.differing > 0) tensor.update({{"largest", t.largest}, {"first", t.first}});
    }
    tensors.push_back(tensor);
  }
  const TensorComparison* first = comparison.first_difference();
  return {{"equal", comparison.equal()},
          {"first_difference", first ? Json(first->name) : Json()},
          {"tensors", tensors}};
}

}  // namespace

double gigaoperations(int64_t multiply_adds, double microseconds) {
  return microseconds > 0 ? 2e-3 * static_cast<double>(multiply_adds) / microseconds : 0;
}

std::string share_of_peak(int64_t multiply_adds, double microseconds, double peak) {
  if (multiply_adds == 0 || peak <= 0 || microseconds <= 0) return "";
  return fmt::format("{:.0f} %", 1e8 * static_cast<double>(multiply_adds) / microseconds / peak);
}

double Accuracy::standard_error() const { return proportion_standard_error(share(), examples); }

Accuracy count_right(const NpyArray& output, const std::vector<int64_t>& labels) {
  const std::vector<int64_t> answers = largest_of_rows(output);
  if (answers.size() != labels.size()) {
    throw Error(ErrorKind::kUsage, {.what = "there are not as many outputs as labels",
                                    .expected = concat(labels.size()),
                                    .found = concat(answers.size())});
  }
  Accuracy accuracy{.examples = static_cast<int64_t>(labels.size())};
  for (size_t i = 0; i < labels.size(); ++i) accuracy.right += answers[i] == labels[i];
  return accuracy;
}

std::string summary_text(const InferenceReport& report, const QuantizedModel& model) {
  const NodeCost total = total_cost(model.quantized());
  return fmt::format(
      "{}: {} bytes, of these {} for {} parameters; {} bytes of memory for a run\n"
      "engine: rounds like {}; {} kernels ({}); {} of {} threads on {}; revision {}\n\n{}\n",
      report.model, thousands(report.file_bytes), thousands(total.constant_bytes),
      thousands(total.parameters), thousands(model.arena_bytes()), to_string(model.quantized().runtime),
      kernels_name(report.kernels), report.machine.instruction_set, report.threads, report.machine.processors,
      report.machine.processor, report.machine.git_revision, graph_table(model));
}

std::string accuracy_text(const Accuracy& accuracy) {
  return fmt::format("accuracy: {:.2f} % +- {:.2f}, {} of {}\n", 100 * accuracy.share(),
                     100 * accuracy.standard_error(), thousands(accuracy.right),
                     thousands(accuracy.examples));
}

std::string answers_text(const NpyArray& output, const QuantizedModel& model,
                         const std::vector<std::string>& class_names) {
  std::vector<TextRow> rows = {{"example", "largest outputs"}};
  for (int64_t row = 0; row < shape_of(output)[0]; ++row) {
    const std::vector<double> values = real_row(output, row, model);
    std::vector<size_t> order(values.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
    order.resize(std::min(order.size(), size_t{kShownAnswers}));
    rows.push_back({fmt::format("{}", row)});
    for (const size_t k : order) {
      const std::string name =
          k < class_names.size() && class_names[k] != fmt::format("{}", k) ? " " + class_names[k] : "";
      rows.back().push_back(fmt::format("{}{}: {:.4g}", k, name, values[k]));
    }
  }
  return text_table(rows, 1 + kShownAnswers);
}

std::string timing_text(const Timing& t, const QuantizedModel& model) {
  const Graph& graph = model.graph();
  double sum = 0;
  for (const NodeTime& node : t.nodes) sum += node.us;
  // Time, share, and speed: of all multiply-adds that were done in that time.
  const auto figures = [&](double us, int64_t multiply_adds, int64_t own_multiply_adds, double peak) {
    return TextRow{fmt::format("{:.2f}", us), fmt::format("{:.1f} %", sum > 0 ? 100 * us / sum : 0),
                   thousands(own_multiply_adds),
                   multiply_adds > 0 ? fmt::format("{:.1f}", gigaoperations(multiply_adds, us)) : "",
                   share_of_peak(multiply_adds, us, peak)};
  };
  std::vector<TextRow> rows = {
      {"", "value", "operation", "us", "share", "multiply-adds", "Gop/s", "of peak"}};
  int64_t total = 0, together = 0;  // multiply-adds, of all and since the last time
  double total_peak = 0;            // of all if it is the same for all, as it is in models of one type
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const int64_t own = node_cost(model.quantized(), i).multiply_adds;
    const double peak = peak_of(t.peaks, model, node);
    if (own > 0) total_peak = total == 0 || total_peak == peak ? peak : 0;
    total += own;
    together += own;
    TextRow row = {fmt::format("{}", i + 1), short_name(graph.value(node.output).name),
                   operation_text(node.op)};
    const TextRow rest = t.nodes[i].with_next ? TextRow{fmt::format("with {}", i + 2), "", thousands(own)}
                                              : figures(t.nodes[i].us, together, own, peak);
    row.insert(row.end(), rest.begin(), rest.end());
    rows.push_back(row);
    if (!t.nodes[i].with_next) together = 0;
  }
  TextRow last = {"", "total", ""};
  const TextRow rest = figures(sum, total, total, total_peak);
  last.insert(last.end(), rest.begin(), rest.end());
  rows.push_back(last);
  const int digits = t.latency_us.median < 10 ? 2 : 1;
  return fmt::format(
      "latency of a run: {:.{}f} us ({:.{}f} ... {:.{}f}), median and 5 to 95 % of {} runs\n"
      "throughput: {} examples/s, {} runs in a call\n\n{}"
      "Medians of {} more runs with the clock read between the operations: some 0.03 us each, as a reshape "
      "shows.\nA multiply-add is two operations (op). The peak, of all threads: {:.0f} Gop/s in floats, "
      "{:.0f} "
      "in int8.\n",
      t.latency_us.median, digits, t.latency_us.low, digits, t.latency_us.high, digits, thousands(t.calls),
      thousands(static_cast<int64_t>(t.throughput)), t.throughput_runs, text_table(rows, 3),
      thousands(t.calls), 2e-9 * t.peaks.real, 2e-9 * t.peaks.int8);
}

Json to_json(const InferenceReport& report, const QuantizedModel& model) {
  const NodeCost total = total_cost(model.quantized());
  Json json = {{"model", report.model},
               {"file_bytes", report.file_bytes},
               {"parameters", total.parameters},
               {"constant_bytes", total.constant_bytes},
               {"multiply_adds", total.multiply_adds},
               {"arena_bytes", model.arena_bytes()},
               {"runtime", to_string(model.quantized().runtime)},
               {"kernels", kernels_name(report.kernels)},
               {"layers", graph_json(model, report.timing)}};
  if (!report.data.empty()) {
    json["data"] = report.data;
    json["examples"] = report.examples;
    if (!report.normalization.empty()) json["normalization"] = report.normalization;
  }
  if (report.accuracy) {
    json["accuracy"] = report.accuracy->share();
    json["standard_error"] = report.accuracy->standard_error();
  }
  if (report.timing) {
    const Timing& t = *report.timing;
    json["latency_us"] = {
        {"median", t.latency_us.median}, {"low", t.latency_us.low}, {"high", t.latency_us.high}};
    json["throughput"] = t.throughput;
    json["throughput_runs"] = t.throughput_runs;
    json["timed_calls"] = t.calls;
    json["peak_gigaoperations"] = {{"float", 2e-9 * t.peaks.real}, {"int8", 2e-9 * t.peaks.int8}};
  }
  if (report.comparison) json["comparison"] = comparison_json(*report.comparison);
  json["threads"] = report.threads;
  json["machine"] = to_json(report.machine);
  json["git_revision"] = report.machine.git_revision;
  return json;
}

}  // namespace qlimit
