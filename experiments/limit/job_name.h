// The names of the limit study's jobs. A job is one step for one net, and its name says which:
//
//   train/plain/w8/s1                      train the plain net of width 8 with seed 1
//   quantize/plain/w8/s1/min_max           all widths of bits with one method
//   layers/plain/w8/s1                     one layer at a time
//   calibration/plain/w8/s1/mse            calibration sets of several sizes, with one observer
//
// The name is the key of a result (experiments/limit/record.h), and with '-' for '/' the name of its file.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace qlimit {

enum class JobKind { kTrain, kQuantize, kLayers, kCalibration };

/// A net of the study: a shape of experiments/limit/nets.h, and the seed of all its random numbers.
struct NetKey {
  std::string shape;  // "plain", "separable"
  int64_t width = 0;  // at least 1
  uint64_t seed = 0;

  auto operator<=>(const NetKey&) const = default;
};

struct JobName {
  JobKind kind = JobKind::kTrain;
  NetKey net;
  std::string method = {};  // of quantize and calibration jobs: lower-case letters, digits, '_'; else empty

  auto operator<=>(const JobName&) const = default;
};

/// "plain/w8/s1"
std::string to_string(const NetKey& net);
/// "quantize/plain/w8/s1/min_max"
std::string to_string(const JobName& job);

/// The way back. Throws kUsage for what to_string does not write.
JobName parse_job_name(std::string_view text);

/// The name as that of a file, without folder and ending: "quantize-plain-w8-s1-min_max".
std::string file_stem(const JobName& job);

}  // namespace qlimit
