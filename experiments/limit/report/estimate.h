// A figure of the study with its uncertainty: one value for each seed, their mean, and Student's interval,
// which holds the mean over all seeds with 95 % confidence.
//
// Values are paired before they come here: each is a difference of two measurements on the same trained net,
// the accuracy in fp32 less that in integers. So what one net has learnt better than another, which differs
// by more than a point between seeds, cancels, and the interval is of the loss alone.
//
//   const BySeed drops = {{1, 0.21}, {2, 0.12}, {3, 0.18}};      // points
//   to_text(estimate(drops));                                     // "0.17 (0.06 ... 0.28)"
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/statistics.h"

namespace qlimit {

/// Values of one quantity by the seed of the net.
using BySeed = std::map<uint64_t, double>;

/// In ascending order of the seeds.
std::vector<double> values(const BySeed& by_seed);

/// a - b for the seeds that both have.
BySeed paired_difference(const BySeed& a, const BySeed& b);

/// The sum over all maps for the seeds that every one has; empty for no maps.
BySeed sum(const std::vector<BySeed>& maps);

struct Estimate {
  double mean = 0;
  std::optional<Interval> interval = {};  // none of a single value
  size_t count = 0;
};

/// Nothing of no values.
std::optional<Estimate> estimate(const std::vector<double>& values);
std::optional<Estimate> estimate(const BySeed& by_seed);

/// The n of a row whose cells are means of several values each: the fewest.
class FewestValues {
 public:
  /// Empty cells do not count.
  void add(size_t count);
  bool none() const { return count_ == 0; }
  std::string text() const;

 private:
  size_t count_ = 0;
};

/// "1.23 (1.10 ... 1.36)"; "1.23" without an interval; "" for nothing.
std::string to_text(const std::optional<Estimate>& estimate, int decimals = 2);
/// The least and the greatest, "0.02 to 0.31"; at least one value.
std::string range_text(const std::vector<double>& values, int decimals);
/// A number that does not say "-0.00".
std::string to_text(double value, int decimals);

}  // namespace qlimit
