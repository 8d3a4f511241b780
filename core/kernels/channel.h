// Per-channel statistics and scalings of activations seen as x[rows, channels]: what batch norm and bias
// gradients are made of. Every function cuts the rows into fixed chunks, works on them in parallel and adds
// the chunks' sums in order, in double: results do not depend on the number of threads.
#pragma once

#include <limits>
#include <vector>

#include "core/real.h"
#include "core/tensor.h"

namespace qlimit {

/// Per channel: sum over rows of x. x: rows * channels elements, sums: one per channel.
std::vector<double> channel_sums(int64_t rows, int64_t channels, const Real* x);

struct ChannelMoments {
  std::vector<double> mean;
  std::vector<double> variance;  // the biased one: sum of squared deviations over rows
};

/// Mean and variance per channel in one pass over memory. Each chunk computes its own mean and squared
/// deviations while it is in the cache; chunks are merged by Chan, Golub, LeVeque, "Updating formulae and a
/// pairwise algorithm for computing sample variances" (1979), equation 2.1. No cancellation, unlike E[x^2] -
/// E[x]^2.
ChannelMoments channel_moments(int64_t rows, int64_t channels, const Real* x);

/// y = clamp(x * scale[c] + shift[c], low, high): a batch norm and the ReLU behind it as one map per channel.
struct ChannelMap {
  std::vector<double> scale, shift;
  Real low = -std::numeric_limits<Real>::infinity();
  Real high = std::numeric_limits<Real>::infinity();

  /// clamp(x, low, high)
  static ChannelMap clamp(int64_t channels, Real low, Real high);
};

/// y: like x, rows * channels elements.
void channel_map(int64_t rows, int64_t channels, const Real* x, const ChannelMap& map, Real* y);

/// The gradient of a map whose scale and shift depend on x as well, as a batch norm's do. With g the upstream
/// gradient where the map is strictly inside of its bounds and 0 elsewhere:
///   dx = upstream_scale[c] * g + x_scale[c] * x + shift[c]
struct ChannelMapGradient {
  std::vector<double> upstream_scale, x_scale, shift;

  /// dx = g
  static ChannelMapGradient identity(int64_t channels);
};
void channel_map_backward(int64_t rows, int64_t channels, const Real* x, const ChannelMap& map,
                          const Real* upstream, const ChannelMapGradient& gradient, Real* dx);

struct ChannelGradientSums {
  std::vector<double> upstream;           // sum of g
  std::vector<double> upstream_centered;  // sum of g * (x - mean)
};
/// The two sums of batch norm's gradient, with g as above.
ChannelGradientSums channel_gradient_sums(int64_t rows, int64_t channels, const Real* x,
                                          const std::vector<double>& mean, const ChannelMap& map,
                                          const Real* upstream);

}  // namespace qlimit
