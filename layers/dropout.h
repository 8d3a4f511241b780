// Dropout: while training, each number is dropped with probability `rate`, so that no neuron can rely on one
// other (Srivastava et al., JMLR 15, 2014). Those that stay are divided by 1 - rate ("inverted"), which keeps
// the mean, so that evaluation needs no change at all: there the layer returns its input.
//
//   y[i]     = x[i] * m[i]        m[i] = 0 with probability rate, else 1 / (1 - rate)
//   dL/dx[i] = dL/dy[i] * m[i]
#pragma once

#include "layers/layer.h"

namespace qlimit {

/// x: any shape -> the same shape; draws one number from random for each element. Throws kUsage unless
/// 0 <= rate < 1.
Variable dropout(const Variable& x, double rate, Random& random);

class Dropout : public Layer {
 public:
  /// `stream` is copied: the layer draws from its own, saved with a training run as random stream "mask".
  Dropout(double rate, const Random& stream);

  Variable forward(const Variable& x) override;

 private:
  double rate_;
  std::shared_ptr<Random> stream_;
};

}  // namespace qlimit
