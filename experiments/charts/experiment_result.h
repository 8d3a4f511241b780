// What the comparison of models needs to know of one experiment: the part of its result.json that `pareto`
// reads.
//
//   {"experiment": "micro_cifar", "dataset": "cifar10", "seed": 42, "parameters": 10474,
//    "multiply_adds": 820464,
//    "fp32": {"accuracy": 0.738, "standard_error": 0.0044, "model_bytes": 43088,
//             "latency_us": {"median": 30.1, "low": 29.5, "high": 31.2}, "throughput": 33000.0},
//    "int8": {the same}, "threads": 2,
//    "machine": {"processor": "...", "instruction_set": "avx2"}}
//
// Other keys may stand in the file and are left alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace qlimit {

/// Microseconds for one image.
struct LatencyFigures {
  double median = 0, low = 0, high = 0;  // 0 < low <= median <= high
};

struct VariantFigures {
  double accuracy = 0;        // on the test set, in [0, 1]
  double standard_error = 0;  // of the accuracy, in [0, 1]
  LatencyFigures latency_us = {};
  int64_t model_bytes = 0;  // as stored
};

struct ExperimentResult {
  std::string experiment = {};
  std::string dataset = {};  // "mnist", "mnist_tiny", "fashion_mnist", "cifar10"
  int64_t parameters = 0;
  VariantFigures fp32 = {};
  VariantFigures int8 = {};
  // How it was measured; empty or 0 if the file does not say it.
  std::string processor = {};
  std::string instruction_set = {};
  int64_t threads = 0;
};

/// Reads the text of a result.json; `where` names it in messages. Throws kData, in one line that names the
/// key, for text that is no JSON and for a figure that is missing, of the wrong type, not finite or out of
/// its range.
ExperimentResult parse_experiment_result(std::string_view text, const std::string& where);

/// Reads a file (up to 64 MB); throws as parse_experiment_result, and kIo with the command that makes the file if
/// it is missing.
ExperimentResult read_experiment_result(const std::filesystem::path& path);

/// "cifar10" -> "CIFAR-10"; a name that is not known stays as it is.
std::string dataset_title(const std::string& dataset);

/// How a reader wants them: "9.4 µs", "120 µs", "12.3 ms".
std::string latency_text(double microseconds);
/// Powers of 1000: "980 B", "9.8 kB", "14 kB", "1.4 MB".
std::string bytes_text(int64_t bytes);

}  // namespace qlimit
