// Batch normalization over the channels of [N,H,W,C] (Ioffe and Szegedy, "Batch normalization", 2015).
//
//   y = gamma[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]
//
// While training, mean and (biased) variance are those of the batch, and the running statistics follow them:
// running = (1 - momentum) * running + momentum * batch, with the unbiased variance (algorithm 2 of the
// paper). In evaluation the running statistics take their place, and the operation is an affine map per
// channel: that is what quantization folds into the convolution before it.
#pragma once

#include "core/kernels/channel.h"
#include "layers/layer.h"
#include "layers/map_and_pool.h"

namespace qlimit {

struct BatchNormOptions {
  double epsilon = 1e-5;  // at least 0
  double momentum = 0.1;  // the share of a new batch in the running statistics, in [0,1]
};

struct BatchNormResult {
  Variable output;
  std::vector<double> mean;
  std::vector<double> variance;  // biased
};

/// Normalizes by the statistics of the batch, and returns them. x: [N,H,W,C], gamma and beta: [C];
/// `rest`: a clamp and a pool that are computed with it (layers/map_and_pool.h). Throws kUsage for shapes that
/// do not fit, kNumeric as below.
BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options, const ClampAndPool& rest = {});

/// Normalizes by given statistics; mean and variance: [C], constants of the tape. Throws kUsage
/// for shapes that do not fit, kNumeric if variance + epsilon is 0 or less (not-a-number is passed on).
Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options);

class BatchNorm2D final : public Layer {
 public:
  /// gamma 1, beta 0, running mean 0, running variance 1. Throws kUsage unless epsilon is finite and at least
  /// 0, and momentum in [0,1].
  explicit BatchNorm2D(int64_t channels, const BatchNormOptions& options = {});
  Variable forward(const Variable& x) override;
  /// As forward does in training, and what follows.
  Variable forward_training(const Variable& x, const ClampAndPool& rest);
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
