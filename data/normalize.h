// Per-channel normalization: y = (x/255 - mean) / deviation, for a byte x.
//
// A byte has 256 values, so the formula is evaluated 256 times per channel, in double, and pixels are looked
// up.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace qlimit {

/// Mean and deviation of each channel, for pixels scaled to [0,1]. Left empty: mean 0, deviation 1.
struct Normalization {
  std::vector<double> mean;       // C
  std::vector<double> deviation;  // C
};

/// Over all pixels of all images; the deviation is the population's, sqrt(E[x^2] - E[x]^2). The sums are
/// exact. Throws kData as check_dataset does.
Normalization channel_statistics(const Dataset& dataset);

/// The formula for all bytes: a row of 256 floats per channel.
class NormalizationTable {
 public:
  /// Throws kUsage unless `normalization` is empty or has `channels` finite means and positive deviations.
  NormalizationTable(const Normalization& normalization, int64_t channels);

  int64_t channels() const { return static_cast<int64_t>(values_.size()) / 256; }
  const float* row(int64_t channel) const { return values_.data() + channel * 256; }

 private:
  std::vector<float> values_;  // [C,256]
};

}  // namespace qlimit
