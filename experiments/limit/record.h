// Results of the limit study: one line of JSON for each finished job, the same in the job's own file and in
// results.jsonl, which has a line about the study before them.
//
//   {"study":"limit","version":1,"preset":"full","data":"cifar10","test_images":10000}
//   {"job":"train/plain/w8/s1","parameters":10474,"multiply_adds":820464,"epochs":10,"fp32":7412,
//    "seconds":55.1,"instruction_set":"avx512"}
//   {"job":"quantize/plain/w8/s1/min_max","correct":{"8/8":7409,"4/8":6120,"4/4":3321},
//    "bytes":{"8":10576,"4":5452}}
//   {"job":"layers/plain/w8/s1","bits":4,"int8":7409,"correct":{"conv2d_1":7010,"conv2d_2":7398},
//    "sqnr_db":{"conv2d_1":19.31,"conv2d_2":17.2}}
//   {"job":"calibration/plain/w8/s1/mse","correct":{"10":{"8/8":7288,"8/4":6012},"1000":{"8/8":7410}}}
//
// Accuracy is a whole number: right answers on the test images. "4/8" are 4 bits for weights and 8 for
// activations; the method `mixed` keeps the bytes of weights to what so many bits for each would take.
//
//   const LimitResults results = read_limit_results("results/limit_study/results.jsonl");
//   for (const Record& record : results.records)
//     if (const auto* net = std::get_if<TrainResult>(&record.result)) ...
//
// Reading is strict: an unknown or missing key, a number out of range, a job that stands there twice are
// errors that name file, line and key.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "experiments/limit/job_name.h"

namespace qlimit {

/// What all results of a study have in common; those of different studies must not be mixed.
struct StudyHeader {
  std::string preset;       // "full", "quick", ...: which jobs, how long each net is trained
  std::string data;         // "cifar10"
  int64_t test_images = 0;  // at least 1

  bool operator==(const StudyHeader&) const = default;
};

/// 2 to 8 each.
struct BitWidths {
  int weights = 8;
  int activations = 8;

  auto operator<=>(const BitWidths&) const = default;
};

/// Right answers at each pair of widths, most bits first.
using Correct = std::map<BitWidths, int64_t, std::greater<>>;

struct TrainResult {
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // for one image
  int64_t epochs = 0;
  int64_t fp32 = 0;             // right answers of the trained net
  double seconds = 0;           // that the training took
  std::string instruction_set;  // of the kernels that trained it (core/kernels/isa.h)
};

struct QuantizeResult {
  Correct correct;
  /// Of all constants, weights packed, by the weights' bits. They are the same for every method but `mixed`,
  /// so only `min_max` and `mixed` say them; for others this is empty, and the key left out.
  std::map<int, int64_t, std::greater<>> bytes;
};

/// Stands for no noise at all, and negative for no signal.
inline constexpr double kMostDecibels = 200;

/// A net in 8 bits but for one layer.
struct LayerResult {
  std::string name;     // of the value that the layer computes, "conv2d_1"
  int64_t correct = 0;  // with this layer's weights and output in few bits, and 8 for all others
  double sqnr_db = 0;   // of its output then (quant/analysis.h), at most kMostDecibels either way
};

struct LayersResult {
  int bits = 0;      // the few
  int64_t int8 = 0;  // right answers with 8 bits throughout
  std::vector<LayerResult> layers;
};

struct CalibrationResult {
  std::map<int64_t, Correct> correct;  // by the number of calibration images
};

struct Record {
  JobName job;
  std::variant<TrainResult, QuantizeResult, LayersResult, CalibrationResult> result;  // as job.kind says
};

struct LimitResults {
  StudyHeader header;
  std::vector<Record> records;
};

/// One line, without the end of line.
std::string to_line(const StudyHeader& header);
std::string to_line(const Record& record);

/// The way back. `where` is file and line, for complaints. Throws kData.
StudyHeader parse_header(std::string_view line, const std::string& where);
/// Right answers beyond header.test_images are an error too.
Record parse_record(std::string_view line, const StudyHeader& header, const std::string& where);

/// A whole file. Throws kData as above, and for a job that stands there twice.
LimitResults parse_limit_results(std::string_view text, const std::string& where);
/// A file's text. Throws kIo, with the command that makes the file.
std::string read_limit_text(const std::filesystem::path& path);
LimitResults read_limit_results(const std::filesystem::path& path);

}  // namespace qlimit
