// Per-channel statistics and scalings of activations seen as x[rows, channels]: what batch norm and bias
// gradients are made of. Every function cuts the rows into fixed chunks, works on them in parallel and adds
// the chunks' sums in order, in double: results do not depend on the number of threads.
#pragma once

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

struct ChannelGradientSums {
  std::vector<double> upstream;           // sum of y
  std::vector<double> upstream_centered;  // sum of y * (x - mean)
};
/// The two sums of batch norm's gradient, y being the upstream gradient.
ChannelGradientSums channel_gradient_sums(int64_t rows, int64_t channels, const Real* x,
                                          const std::vector<double>& mean, const Real* y);

/// y = x * scale[c] + shift[c]
void channel_affine(int64_t rows, int64_t channels, const Real* x, const std::vector<double>& scale,
                    const std::vector<double>& shift, Real* y);

/// result = x * x_scale[c] + y * y_scale[c] + shift[c]
void channel_affine2(int64_t rows, int64_t channels, const Real* x, const std::vector<double>& x_scale,
                     const Real* y, const std::vector<double>& y_scale, const std::vector<double>& shift,
                     Real* result);

}  // namespace qlimit
