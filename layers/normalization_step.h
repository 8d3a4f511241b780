// Batch norm between its passes over the activations: a few numbers per channel, made of the moments on the way
// forward and of the gradient's sums on the way back. batch_norm2d.cpp puts the passes around it; fusion.cpp
// runs them with those of the layers before and behind.
#pragma once

#include <limits>
#include <vector>

#include "core/kernels/channel.h"
#include "core/variable.h"

namespace qlimit {

class NormalizationStep {
 public:
  /// rows: N*H*W; the moments may be the batch's or given ones. Throws kNumeric if variance + epsilon is 0 or
  /// less (not-a-number is passed on).
  NormalizationStep(const ChannelMoments& moments, int64_t rows, const Tensor<Real>& gamma,
                    const Tensor<Real>& beta, double epsilon);

  /// The normalization, with a clamp of its result.
  ChannelMap map(Real low = -kInfinity, Real high = kInfinity) const { return {scale_, shift_, low, high}; }
  /// Adds d loss / d gamma and d loss / d beta to the gradients that are wanted.
  void add_parameter_gradients(const ChannelGradientSums& sums, const Variable& gamma,
                               const Variable& beta) const;
  /// Of x, from which the moments were computed.
  ChannelMapGradient input_gradient(const ChannelGradientSums& sums) const;
  /// Of x, if the moments were given.
  ChannelMapGradient input_gradient() const;

 private:
  static constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
  std::vector<double> mean_, inverse_, scale_, shift_;
  int64_t rows_;
  Tensor<Real> gamma_;
};

}  // namespace qlimit
