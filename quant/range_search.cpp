#include "quant/range_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace qlimit {
namespace {

constexpr int64_t kBins = 2 * Histogram::kBinsPerSide;

// The histogram of |x|, up to the last bin in use.
std::vector<double> magnitudes(const Histogram& histogram) {
  std::vector<double> bins(Histogram::kBinsPerSide, 0.0);
  for (int64_t i = 0; i < Histogram::kBinsPerSide; ++i) {
    bins[static_cast<size_t>(i)] =
        static_cast<double>(histogram.bins()[static_cast<size_t>(Histogram::kBinsPerSide + i)] +
                            histogram.bins()[static_cast<size_t>(Histogram::kBinsPerSide - 1 - i)]);
  }
  while (bins.size() > 1 && bins.back() == 0) bins.pop_back();
  return bins;
}

// Divergence of the first `kept` bins, quantized to `levels` groups, from the same bins with the clipped mass
// added to the last. None if the quantized distribution is empty where the other is not.
std::optional<double> divergence(const std::vector<double>& bins, size_t kept, size_t levels, double total) {
  const double inside = [&] {
    double sum = 0;
    for (size_t i = 0; i < kept; ++i) sum += bins[i];
    return sum;
  }();
  const auto reference = [&](size_t i) { return i + 1 == kept ? bins[i] + (total - inside) : bins[i]; };
  double result = 0;
  for (size_t level = 0; level < levels; ++level) {
    const size_t begin = level * kept / levels;
    const size_t end = (level + 1) * kept / levels;
    // What one level stands for is spread evenly over the bins that were in use.
    double mass = 0, used = 0;
    for (size_t i = begin; i < end; ++i) {
      mass += bins[i];
      used += reference(i) > 0 ? 1 : 0;
    }
    for (size_t i = begin; i < end; ++i) {
      const double p = reference(i) / total;
      if (p == 0) continue;
      if (mass == 0) return std::nullopt;
      const double q = mass / used / inside;
      result += p * std::log(p / q);
    }
  }
  return result;
}

// Among `steps` fractions of `end`, from 1 downwards, the one with the least error of the range that
// `with_end` makes.
template <typename WithEnd>
float best_end(const Histogram& histogram, int bits, float end, const WithEnd& with_end) {
  constexpr int kSteps = 256;
  float best = end;
  double least = std::numeric_limits<double>::infinity();
  for (int step = kSteps; step > 0; --step) {
    const float candidate = static_cast<float>(static_cast<double>(end) * step / kSteps);
    const double error = quantization_mse(histogram, with_end(candidate), bits);
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

Range percentile_range(const Histogram& histogram, double percentile) {
  // 100 - 99.9 is a little less than 0.1, and a number that may be left out has to count as a whole one.
  constexpr double kRounding = 1e-6;
  const double left_out =
      std::floor(static_cast<double>(histogram.count()) * (100 - percentile) / 100 + kRounding);
  const auto& bins = histogram.bins();
  int64_t first = 0;
  for (double below = 0; first < kBins - 1; ++first) {
    below += static_cast<double>(bins[static_cast<size_t>(first)]);
    if (below > left_out) break;
  }
  int64_t last = kBins - 1;
  for (double above = 0; last > 0; --last) {
    above += static_cast<double>(bins[static_cast<size_t>(last)]);
    if (above > left_out) break;
  }
  return {.min = std::max(static_cast<float>(histogram.lower_edge(first)), histogram.min()),
          .max = std::min(static_cast<float>(histogram.lower_edge(last + 1)), histogram.max())};
}

double quantization_mse(const Histogram& histogram, Range range, int bits) {
  const double min = std::min(range.min, 0.0f);
  const double max = std::max(range.max, 0.0f);
  if (min == max) return std::numeric_limits<double>::infinity();
  const double steps = (1 << bits) - 1;
  const double scale = (max - min) / steps;
  const double zero_point = std::round(-min / scale);
  double sum = 0;
  for (int64_t i = 0; i < kBins; ++i) {
    const int64_t count = histogram.bins()[static_cast<size_t>(i)];
    if (count == 0) continue;
    const double x = histogram.middle(i);
    const double q = std::clamp(std::round(x / scale) + zero_point, 0.0, steps);
    const double error = x - (q - zero_point) * scale;
    sum += static_cast<double>(count) * error * error;
  }
  return sum / static_cast<double>(histogram.count());
}

Range mse_range(const Histogram& histogram, int bits) {
  const Range whole = {.min = std::min(histogram.min(), 0.0f), .max = std::max(histogram.max(), 0.0f)};
  Range range = whole;
  for (int round = 0; round < 2; ++round) {
    range.max = best_end(histogram, bits, whole.max, [&](float max) { return Range{range.min, max}; });
    range.min = best_end(histogram, bits, whole.min, [&](float min) { return Range{min, range.max}; });
  }
  return range;
}

Range entropy_range(const Histogram& histogram, int bits) {
  std::vector<double> bins = magnitudes(histogram);
  // The zeros of a ReLU would outweigh everything, and every range represents them exactly.
  if (bins.size() > 1) bins[0] = bins[1];
  double total = 0;
  for (double count : bins) total += count;

  const bool one_sided = histogram.min() >= 0 || histogram.max() <= 0;
  const size_t levels = size_t{1} << (one_sided ? bits : bits - 1);
  size_t best = bins.size();
  double least = std::numeric_limits<double>::infinity();
  for (size_t kept = bins.size(); kept >= levels; --kept) {
    const std::optional<double> distance = divergence(bins, kept, levels, total);
    if (distance && *distance < least) {
      least = *distance;
      best = kept;
    }
  }
  const float threshold = static_cast<float>(static_cast<double>(best) * histogram.bin_width());
  return {.min = std::max(-threshold, histogram.min()), .max = std::min(threshold, histogram.max())};
}

}  // namespace qlimit
