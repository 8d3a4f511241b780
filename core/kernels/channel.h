// Per-channel statistics and scalings of activations seen as x[rows, channels]: what batch norm and bias
// gradients are made of. Every function cuts the rows into fixed chunks, works on them in parallel and adds
// the chunks' sums in order, in double: results do not depend on the number of threads.
#pragma once

#include <limits>
#include <vector>

#include "core/kernels/table.h"
#include "core/real.h"
#include "core/tensor.h"

namespace qlimit {

/// Per channel: sum over rows of x. x: rows * channels elements, sums: one per channel.
std::vector<double> channel_sums(int64_t rows, int64_t channels, const Real* x);

/// Such sums as a tensor; as many as `shape` has elements.
Tensor<Real> to_tensor(const Shape& shape, const std::vector<double>& values);

struct ChannelMoments {
  std::vector<double> mean;
  std::vector<double> variance;  // the biased one: sum of squared deviations over rows
};

/// Mean and variance per channel of activations that come in parts, in one pass over memory: each part's own
/// mean and squared deviations are computed while it is in the cache; parts are merged by Chan, Golub,
/// LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979), equation 2.1.
/// No cancellation, unlike E[x^2] - E[x]^2.
class ChannelMomentParts {
 public:
  ChannelMomentParts(int64_t parts, int64_t channels);
  /// Takes part `part`, x[rows, channels]; different parts may be taken at the same time.
  void take(int64_t part, int64_t rows, const Real* x);
  /// Of all parts, in order.
  ChannelMoments merged() const;

 private:
  int64_t channels_;
  std::vector<int64_t> rows_;
  Tensor<Real> sums_, means_, squares_;
};

/// The same of x[rows, channels] at once.
ChannelMoments channel_moments(int64_t rows, int64_t channels, const Real* x);

/// One value per channel, repeated past the last channel for kernels that read whole blocks of them.
class ChannelPattern {
 public:
  explicit ChannelPattern(const std::vector<double>& values);
  const Real* data() const { return pattern_.data(); }

 private:
  std::vector<Real> pattern_;
};

/// y = clamp(x * scale[c] + shift[c], low, high): a batch norm and the ReLU behind it as one map per channel.
class ChannelMap {
 public:
  /// scale, shift: one per channel.
  ChannelMap(const std::vector<double>& scale, const std::vector<double>& shift, Real low = -kInfinity,
             Real high = kInfinity);
  /// clamp(x, low, high)
  ChannelMap(int64_t channels, Real low, Real high);

  int64_t channels() const { return channels_; }
  ChannelMapping mapping() const { return {scale_.data(), shift_.data(), low_, high_}; }

 private:
  static constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
  int64_t channels_;
  ChannelPattern scale_, shift_;
  Real low_, high_;
};

/// The gradient of a map whose scale and shift depend on x as well, as a batch norm's do. With g the upstream
/// gradient where the map is strictly inside of its bounds and 0 elsewhere:
///   dx = upstream_scale[c] * g + x_scale[c] * x + shift[c]
class ChannelMapGradient {
 public:
  ChannelMapGradient(const std::vector<double>& upstream_scale, const std::vector<double>& x_scale,
                     const std::vector<double>& shift);
  /// dx = g
  explicit ChannelMapGradient(int64_t channels);

  ChannelMappingGradient mapping() const { return {upstream_scale_.data(), x_scale_.data(), shift_.data()}; }

 private:
  ChannelPattern upstream_scale_, x_scale_, shift_;
};

/// y: like x, rows * channels elements.
void channel_map(int64_t rows, const Real* x, const ChannelMap& map, Real* y);
void channel_map_backward(int64_t rows, const Real* x, const ChannelMap& map, const Real* upstream,
                          const ChannelMapGradient& gradient, Real* dx);

struct ChannelGradientSums {
  std::vector<double> upstream;           // sum of g
  std::vector<double> upstream_centered;  // sum of g * (x - mean)
};
/// The two sums of batch norm's gradient, with g as above.
ChannelGradientSums channel_gradient_sums(int64_t rows, const Real* x, const std::vector<double>& mean,
                                          const ChannelMap& map, const Real* upstream);

}  // namespace qlimit
