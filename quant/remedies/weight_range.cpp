#include "quant/remedies/weight_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "quant/channel_view.h"

namespace qlimit {
namespace {

/// The weights that share one half range: all, or for each channel its own.
std::vector<std::vector<float>> groups_of(const Tensor<float>& weight, int axis, Granularity granularity) {
  if (granularity == Granularity::kPerTensor) return {{weight.begin(), weight.end()}};
  const ChannelView view(weight.shape(), axis);
  std::vector<std::vector<float>> groups(static_cast<size_t>(view.channels));
  for (int64_t i = 0; i < weight.size(); ++i)
    groups[static_cast<size_t>(view.channel_of(i))].push_back(weight[i]);
  return groups;
}

float percentile_half_range(const std::vector<float>& weights, double percentile, float most) {
  std::vector<float> magnitudes;
  for (float w : weights) magnitudes.push_back(std::abs(w));
  const double kept = std::ceil(static_cast<double>(magnitudes.size()) * percentile / 100);
  const auto last = magnitudes.begin() + std::max<int64_t>(static_cast<int64_t>(kept), 1) - 1;
  std::nth_element(magnitudes.begin(), last, magnitudes.end());
  return *last > 0 ? *last : most;
}

float mse_half_range(const std::vector<float>& weights, int bits, float most) {
  const auto n = static_cast<int64_t>(weights.size());
  float best = most;
  double least = std::numeric_limits<double>::infinity();
  for (const float candidate : mse_candidates(most)) {
    const double error = weight_squared_error(weights.data(), n, candidate, bits);
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

std::vector<float> weight_half_ranges(const Tensor<float>& weight, int axis, Granularity granularity,
                                      int bits, const WeightRangeOptions& options) {
  check_bits(bits, "weights");
  if (!(options.percentile > 50 && options.percentile <= 100)) {
    throw Error(ErrorKind::kUsage, {.what = "weight range option out of range",
                                    .where = "percentile",
                                    .expected = "above 50, at most 100",
                                    .found = concat(options.percentile)});
  }
  std::vector<float> half_ranges = weight_half_ranges(weight, axis, granularity);
  if (options.method == WeightRangeMethod::kMinMax) return half_ranges;
  const std::vector<std::vector<float>> groups = groups_of(weight, axis, granularity);
  for (size_t i = 0; i < groups.size(); ++i) {
    half_ranges[i] = options.method == WeightRangeMethod::kMse
                         ? mse_half_range(groups[i], bits, half_ranges[i])
                         : percentile_half_range(groups[i], options.percentile, half_ranges[i]);
  }
  return half_ranges;
}

std::vector<float> mse_candidates(float most) {
  constexpr int kCandidates = 256, kToAFactorOfTwo = 32;
  std::vector<float> candidates;
  for (int i = 0; i < kCandidates; ++i) {
    candidates.push_back(static_cast<float>(most * std::exp2(-static_cast<double>(i) / kToAFactorOfTwo)));
  }
  return candidates;
}

double weight_squared_error(const float* weights, int64_t n, float half_range, int bits) {
  const double top = weight_max(bits);
  const double scale = half_range / top;
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double w = weights[i];
    const double q = scale > 0 ? std::clamp(std::round(w / scale), -top, top) : 0;
    sum += (w - q * scale) * (w - q * scale);
  }
  return sum;
}

}  // namespace qlimit
