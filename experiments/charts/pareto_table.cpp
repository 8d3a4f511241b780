#include <fmt/format.h>

#include <algorithm>

#include "experiments/charts/pareto_chart.h"

namespace qlimit {
namespace {

std::string accuracy_text(const VariantFigures& figures) {
  return fmt::format("{:.2f} ± {:.2f} %", 100 * figures.accuracy, 100 * figures.standard_error);
}

std::string latency_cell(const LatencyFigures& latency) {
  return fmt::format("{} ({:.3g}–{:.3g})", latency_text(latency.median), latency.low, latency.high);
}

// "both", "int8", "fp32" or "–": which versions of result `index` no model of its data set dominates.
std::string front_cell(const std::vector<size_t>& front, size_t index) {
  const bool fp32 = std::find(front.begin(), front.end(), 2 * index) != front.end();
  const bool int8 = std::find(front.begin(), front.end(), 2 * index + 1) != front.end();
  return fp32 && int8 ? "both" : int8 ? "int8" : fp32 ? "fp32" : "–";
}

}  // namespace

std::string pareto_table(const std::vector<ExperimentResult>& results) {
  std::string table =
      "| model | data | parameters | fp32 accuracy | int8 accuracy | difference, points | fp32 latency, µs | "
      "int8 latency, "
      "µs | faster | fp32 size | int8 size | smaller | on the front |\n"
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
  for (const std::vector<ExperimentResult>& group : by_dataset(results)) {
    const std::vector<size_t> front = pareto_front(trades_of(group));
    for (size_t i = 0; i < group.size(); ++i) {
      const ExperimentResult& r = group[i];
      table += fmt::format(
          "| {} | {} | {} | {} | {} | {:+.2f} | {} | {} | {:.2f}× | {} | {} | {:.2f}× | {} |\n", r.experiment,
          dataset_title(r.dataset), r.parameters, accuracy_text(r.fp32), accuracy_text(r.int8),
          100 * (r.int8.accuracy - r.fp32.accuracy), latency_cell(r.fp32.latency_us),
          latency_cell(r.int8.latency_us), r.fp32.latency_us.median / r.int8.latency_us.median,
          bytes_text(r.fp32.model_bytes), bytes_text(r.int8.model_bytes),
          static_cast<double>(r.fp32.model_bytes) / static_cast<double>(r.int8.model_bytes),
          front_cell(front, i));
    }
  }
  table +=
      "\nAccuracy on the test set ± standard error; latency of one image: median (low–high); the front is "
      "that of the data set: "
      "no other version there is both as fast and as accurate.\n";
  if (!latencies_compare(results)) {
    table +=
        "\nCaution: measured with different machines, instruction sets or threads; latencies do not compare "
        "between rows.\n";
  }
  return table;
}

}  // namespace qlimit
