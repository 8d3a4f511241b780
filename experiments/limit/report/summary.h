// The results of a study, put in order: which nets there are, and what each loses with which method at which
// widths, seed by seed. Whatever is missing in the results is missing here; nothing is filled in.
//
//   const StudySummary summary(read_limit_results(path));
//   for (const NetSize& net : summary.nets("plain"))
//     to_text(estimate(summary.drop(net, "min_max", {.weights = 4, .activations = 4})));
//
// Accuracies are in percent of the test images, drops in points: accuracy of the trained net in fp32 less
// that of the integers made from it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "experiments/limit/record.h"
#include "experiments/limit/report/estimate.h"

namespace qlimit {

/// A net without its seed.
struct NetSize {
  std::string shape;
  int64_t width = 0;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;
  int64_t epochs = 0;
};

/// The method that all others are compared with: minimum and maximum, one scale a channel.
inline constexpr const char* kBaseline = "min_max";

/// "W4A8"
std::string to_text(const BitWidths& bits);

class StudySummary {
 public:
  /// Throws kData if nets of one size differ in anything but their seed.
  explicit StudySummary(LimitResults results);

  const StudyHeader& header() const { return results_.header; }
  size_t jobs() const { return results_.records.size(); }
  /// Those for which a net was trained.
  const std::set<uint64_t>& seeds() const { return seeds_; }

  /// In the order of the results.
  const std::vector<std::string>& shapes() const { return shapes_; }
  /// The trained nets of a shape, or all, the smallest of each shape first.
  std::vector<NetSize> nets(const std::string& shape) const;
  std::vector<NetSize> nets() const;

  /// Methods that have results, in the order of limit_methods; those it does not know come last.
  const std::vector<std::string>& methods() const { return methods_; }
  /// Widths at which a method was measured on any net, most bits first.
  std::set<BitWidths, std::greater<>> points(const std::string& method) const;

  /// On which its seeds were trained.
  std::set<std::string> instruction_sets(const NetSize& net) const;

  BySeed fp32(const NetSize& net) const;
  BySeed accuracy(const NetSize& net, const std::string& method, const BitWidths& bits) const;
  BySeed drop(const NetSize& net, const std::string& method, const BitWidths& bits) const;
  /// Of all constants with weights of so many bits: the mean over seeds, because `mixed` spends a few bytes
  /// more or less. Methods that do not say it take what `min_max` takes.
  std::optional<double> bytes(const NetSize& net, const std::string& method, int weight_bits) const;

  /// Of the jobs that tried calibration sets of several sizes.
  std::vector<std::string> calibration_methods() const;
  std::set<BitWidths, std::greater<>> calibration_points() const;
  std::set<int64_t> calibration_sizes() const;
  BySeed calibration_drop(const NetSize& net, const std::string& method, int64_t images,
                          const BitWidths& bits) const;

  const std::map<NetKey, LayersResult>& layers() const { return layers_; }
  /// Of a number of test images, in percent.
  double percent(int64_t images) const;

 private:
  using MethodOfNet = std::pair<NetKey, std::string>;
  template <typename Value>
  BySeed by_seed(const NetSize& net, const Value& value) const;
  void add(const Record& record);
  void add_net(const NetKey& key, const TrainResult& result);

  LimitResults results_;
  std::set<uint64_t> seeds_;
  std::vector<std::string> shapes_, methods_;
  std::map<std::string, std::map<int64_t, NetSize>> nets_;  // by shape, then by width
  std::map<NetKey, TrainResult> trained_;
  std::map<MethodOfNet, QuantizeResult> quantized_;
  std::map<MethodOfNet, CalibrationResult> calibrated_;
  std::map<NetKey, LayersResult> layers_;
};

}  // namespace qlimit
