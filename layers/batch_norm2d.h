// Batch normalisation over the channels of [N,H,W,C] (Ioffe and Szegedy, "Batch normalization", 2015).
//
//   y = gamma[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]
//
// While training, mean and (biased) variance are those of the batch, and the running statistics follow them:
// running = (1 - momentum) * running + momentum * batch, with the unbiased variance (algorithm 2 of the
// paper). In evaluation the running statistics take their place, and the operation is an affine map per
// channel: that is what quantization folds into the convolution before it.
#pragma once

#include "layers/layer.h"

namespace qlimit {

struct BatchNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;
};

struct BatchNormResult {
  Variable output;
  std::vector<double> mean;
  std::vector<double> variance;  // biased
};

/// Normalises by the statistics of the batch, and returns them. x: [N,H,W,C], gamma and beta: [C].
/// Throws kUsage for shapes that do not fit.
BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options);

/// Normalises by given statistics; mean and variance: [C], constants of the tape.
Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options);

class BatchNorm2D : public Layer {
 public:
  /// gamma 1, beta 0, running mean 0, running variance 1.
  explicit BatchNorm2D(int64_t channels, const BatchNormOptions& options = {});
  Variable forward(const Variable& x) override;

 private:
  BatchNormOptions options_;
  Variable gamma_;
  Variable beta_;
  Tensor<Real> running_mean_;
  Tensor<Real> running_variance_;
};

}  // namespace qlimit
