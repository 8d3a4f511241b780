#include "layers/normalization_step.h"

#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

using Doubles = std::vector<double>;

Doubles inverse_deviation(const Doubles& variance, double epsilon) {
  Doubles result(variance.size());
  for (size_t c = 0; c < result.size(); ++c) {
    if (variance[c] + epsilon <= 0) {  // false for not-a-number, which is passed on
      throw Error(ErrorKind::kNumeric, {.what = "a variance is too small to divide by its root",
                                        .where = concat("batch_norm2d, channel ", c),
                                        .expected = "variance + epsilon > 0",
                                        .found = concat(variance[c], " + ", epsilon)});
    }
    result[c] = 1.0 / std::sqrt(variance[c] + epsilon);
  }
  return result;
}

}  // namespace

NormalizationStep::NormalizationStep(const ChannelMoments& moments, int64_t rows, const Tensor<Real>& gamma,
                                     const Tensor<Real>& beta, double epsilon)
    : mean_(moments.mean),
      inverse_(inverse_deviation(moments.variance, epsilon)),
      rows_(rows),
      gamma_(gamma) {
  scale_.resize(mean_.size());
  shift_.resize(mean_.size());
  for (int64_t c = 0; c < gamma.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    scale_[i] = gamma[c] * inverse_[i];
    shift_[i] = beta[c] - mean_[i] * scale_[i];
  }
}

// With g the upstream gradient (0 where it is clamped) and z = (x - mean) * inverse the normalized input:
//   dgamma = sum g z,  dbeta = sum g
void NormalizationStep::add_parameter_gradients(const ChannelGradientSums& sums, const Variable& gamma,
                                                const Variable& beta) const {
  Doubles dgamma(inverse_.size());
  for (size_t c = 0; c < dgamma.size(); ++c) dgamma[c] = sums.upstream_centered[c] * inverse_[c];
  if (gamma.wants_grad()) gamma.add_grad(to_tensor(gamma.shape(), dgamma));
  if (beta.wants_grad()) beta.add_grad(to_tensor(beta.shape(), sums.upstream));
}

// The statistics depend on x as well:  dx = gamma * inverse * (g - mean(g) - z * mean(g z)), which is an
// affine map of g and x per channel.
ChannelMapGradient NormalizationStep::input_gradient(const ChannelGradientSums& sums) const {
  Doubles upstream_scale(mean_.size()), x_scale(mean_.size()), shift(mean_.size());
  for (size_t i = 0; i < mean_.size(); ++i) {
    const double a = gamma_[static_cast<int64_t>(i)] * inverse_[i];
    const double b = -a * inverse_[i] * inverse_[i] * sums.upstream_centered[i] / static_cast<double>(rows_);
    upstream_scale[i] = a;
    x_scale[i] = b;
    shift[i] = -a * sums.upstream[i] / static_cast<double>(rows_) - b * mean_[i];
  }
  return {upstream_scale, x_scale, shift};
}

ChannelMapGradient NormalizationStep::input_gradient() const {
  const Doubles zeros(scale_.size());
  return {scale_, zeros, zeros};
}

}  // namespace qlimit
