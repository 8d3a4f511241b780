#include "data/normalize.h"

#include <array>
#include <cmath>

namespace qlimit {

Normalization channel_statistics(const Dataset& dataset) {
  check_dataset(dataset, dataset.name);
  const int64_t channels = dataset.images.dim(3);
  const int64_t pixels = dataset.images.size() / channels;
  // How often each byte occurs says all that the sums need, in integers.
  std::vector<std::array<int64_t, 256>> occurs(static_cast<size_t>(channels));
  const uint8_t* x = dataset.images.data();
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (auto& histogram : occurs) ++histogram[*x++];
  }
  Normalization result;
  for (const auto& histogram : occurs) {
    int64_t sum = 0, sum_of_squares = 0;
    for (int64_t value = 0; value < 256; ++value) {
      sum += histogram[static_cast<size_t>(value)] * value;
      sum_of_squares += histogram[static_cast<size_t>(value)] * value * value;
    }
    const double count = static_cast<double>(pixels);
    const double mean = static_cast<double>(sum) / count;
    // In extended precision: the two terms can nearly cancel.
    const long double variance =
        static_cast<long double>(sum_of_squares) / count -
        static_cast<long double>(sum) / count * (static_cast<long double>(sum) / count);
    result.mean.push_back(mean / 255.0);
    result.deviation.push_back(std::sqrt(std::max(0.0, static_cast<double>(variance))) / 255.0);
  }
  return result;
}

NormalizationTable::NormalizationTable(const Normalization& normalization, int64_t channels) {
  const auto count = static_cast<size_t>(channels);
  const bool plain = normalization.mean.empty() && normalization.deviation.empty();
  if (!plain && (normalization.mean.size() != count || normalization.deviation.size() != count)) {
    throw Error(ErrorKind::kUsage,
                {.what = "normalization does not fit the images",
                 .expected = concat(channels, " means and deviations, one per channel"),
                 .found = concat(normalization.mean.size(), " and ", normalization.deviation.size())});
  }
  values_.reserve(count * 256);
  for (size_t c = 0; c < count; ++c) {
    const double mean = plain ? 0.0 : normalization.mean[c];
    const double deviation = plain ? 1.0 : normalization.deviation[c];
    if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0) {
      throw Error(ErrorKind::kUsage, {.what = "cannot normalize",
                                      .where = concat("channel ", c),
                                      .expected = "a finite mean and a positive deviation",
                                      .found = concat(mean, " and ", deviation),
                                      .hint = "a channel that never changes carries nothing to learn from"});
    }
    for (int value = 0; value < 256; ++value) {
      values_.push_back(static_cast<float>((value / 255.0 - mean) / deviation));
    }
  }
}

}  // namespace qlimit
