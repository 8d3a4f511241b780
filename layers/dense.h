// The fully connected layer: y = x W^T + b.
//
// With G the upstream gradient [N,O]:  dW = G^T x,  dx = G W,  db = column sums of G.
#pragma once

#include "core/random.h"
#include "layers/layer.h"

namespace qlimit {

/// x: [N,I], weight: [O,I], bias: [O] or an empty handle -> [N,O]. Throws kUsage for shapes that do not fit.
Variable dense(const Variable& x, const Variable& weight, const Variable& bias);

class Dense : public Layer {
 public:
  /// Weights by Glorot's uniform initialization, biases zero.
  Dense(int64_t in_features, int64_t out_features, bool use_bias, Random& random);
  Variable forward(const Variable& x) override;

 private:
  Variable weight_;
  Variable bias_;
};

}  // namespace qlimit
