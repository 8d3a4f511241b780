// What run_tflite has found out about a model, as text for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/inference/comparison.h"
#include "experiments/inference/timing.h"
#include "experiments/machine.h"
#include "quant/quantized_model.h"

namespace qlimit {

/// How often the largest output is the label's.
struct Accuracy {
  int64_t right = 0;
  int64_t examples = 0;

  double share() const { return static_cast<double>(right) / static_cast<double>(examples); }
  double standard_error() const;
};

/// Compares the largest output of each row with the labels. Throws kUsage if there are not as many.
Accuracy count_right(const NpyArray& output, const std::vector<int64_t>& labels);

struct InferenceReport {
  std::string model = {};  // the file
  int64_t file_bytes = 0;
  std::string data = {};           // empty: none
  std::string normalization = {};  // empty: none
  int64_t examples = 0;
  std::optional<Accuracy> accuracy = {};
  std::optional<Timing> timing = {};
  std::optional<ComparisonResult> comparison = {};
  Machine machine = {};
  int threads = 1;
  Kernels kernels = Kernels::kFast;
};

/// The file, the engine, and a table of the graph: shapes, types, scales, bytes and multiply-adds.
std::string summary_text(const InferenceReport& report, const QuantizedModel& model);

/// "accuracy: 91.50 % +- 0.88, 915 of 1,000" and an end of line.
std::string accuracy_text(const Accuracy& accuracy);

/// The largest outputs of each of a few examples.
std::string answers_text(const NpyArray& output, const QuantizedModel& model,
                         const std::vector<std::string>& class_names);

/// Latency, throughput, and a table of each operation: its time, its rate and which share of the machine's
/// peak that is.
std::string timing_text(const Timing& timing, const QuantizedModel& model);

/// Operations a second in thousand millions, of so many multiply-adds in so many microseconds; a multiply-add
/// is two operations. 0 if there is no time.
double gigaoperations(int64_t multiply_adds, double microseconds);

/// "51 %": the share of a peak (multiply-adds a second) that this is; empty without multiply-adds or peak.
std::string share_of_peak(int64_t multiply_adds, double microseconds, double peak);

/// All of it.
nlohmann::ordered_json to_json(const InferenceReport& report, const QuantizedModel& model);

}  // namespace qlimit
