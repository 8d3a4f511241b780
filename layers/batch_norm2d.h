// Batch normalisation over the channels of [N,H,W,C] (Ioffe and Szegedy, "Batch normalization", 2015).
//
//   y = gamma[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]
//
// While training, mean and (biased) variance are those of the batch, and the running statistics follow them:
// running = (1 - momentum) * running + momentum * batch, with the unbiased variance (algorithm 2 of the
// paper). In evaluation the running statistics take their place, and the operation is an affine map per
// channel: that is what quantization folds into the convolution before it.
#pragma once

#include <limits>
#include <optional>

#include "core/kernels/channel.h"
#include "core/window.h"
#include "layers/layer.h"

namespace qlimit {

struct BatchNormOptions {
  double epsilon = 1e-5;  // at least 0
  double momentum = 0.1;  // the share of a new batch in the running statistics, in [0,1]
};

/// What follows the normalisation in the same pass over memory (layers/fusion.h): a clamp, and a 2x2 max pool
/// of which the image is a whole number (pools_squares in core/kernels/pool.h).
struct BatchNormTail {
  Real low = -std::numeric_limits<Real>::infinity();
  Real high = std::numeric_limits<Real>::infinity();
  std::optional<WindowGeometry> pool;
};

/// The name of an operation with what follows: "conv2d + relu6 + max_pool2d". `first` may be empty.
std::string fused_name(const std::string& first, const BatchNormTail& tail);

/// One normalisation with its gradients: what lies between the passes over the activations.
class NormalizationStep {
 public:
  /// rows: N*H*W; the moments may be the batch's or given ones.
  NormalizationStep(const ChannelMoments& moments, int64_t rows, const Tensor<Real>& gamma,
                    const Tensor<Real>& beta, double epsilon);

  /// The normalisation, with a clamp of its result.
  ChannelMap map(Real low = -kInfinity, Real high = kInfinity) const { return {scale_, shift_, low, high}; }
  void add_parameter_gradients(const ChannelGradientSums& sums, const Variable& gamma,
                               const Variable& beta) const;
  /// Of x, if the moments are those of x, and if they are given.
  ChannelMapGradient input_gradient(const ChannelGradientSums& sums) const;
  ChannelMapGradient input_gradient() const;

 private:
  static constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
  std::vector<double> mean_, inverse_, scale_, shift_;
  int64_t rows_;
  Tensor<Real> gamma_;
};

struct BatchNormResult {
  Variable output;
  std::vector<double> mean;
  std::vector<double> variance;  // biased
};

/// Normalises by the statistics of the batch, and returns them. x: [N,H,W,C], gamma and beta: [C].
/// Throws kUsage for shapes that do not fit.
BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options, const BatchNormTail& tail = {});

/// Normalises by given statistics; mean and variance: [C], constants of the tape. Throws kUsage
/// for shapes that do not fit, kNumeric unless variance + epsilon is above 0.
Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options);

class BatchNorm2D final : public Layer {
 public:
  /// gamma 1, beta 0, running mean 0, running variance 1. Throws kUsage unless epsilon is finite and at least
  /// 0, and momentum in [0,1].
  explicit BatchNorm2D(int64_t channels, const BatchNormOptions& options = {});
  Variable forward(const Variable& x) override;
  /// As forward does in training, and what follows.
  Variable forward_training(const Variable& x, const BatchNormTail& tail);
  /// Lets the running statistics follow those of a batch with `rows` values per channel.
  void follow(const ChannelMoments& batch, int64_t rows);

  const Variable& gamma() const { return gamma_; }
  const Variable& beta() const { return beta_; }
  const BatchNormOptions& options() const { return options_; }
  /// The share of a new batch in the running statistics; throws kUsage unless it is in [0,1].
  void set_momentum(double momentum);

 private:
  BatchNormOptions options_;
  Variable gamma_;
  Variable beta_;
  Tensor<Real> running_mean_;
  Tensor<Real> running_variance_;
};

}  // namespace qlimit
