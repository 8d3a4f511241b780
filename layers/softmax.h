// Softmax: turns each row of logits into probabilities. For showing and exporting a model; for training use
// softmax_cross_entropy, which needs the logits.
//
//   y[k] = exp(z[k] - max) / sum_j exp(z[j] - max)       dL/dz[k] = y[k] * (g[k] - sum_j g[j] * y[j])
//
// where g = dL/dy. Subtracting the largest logit changes nothing but the danger of overflow.
#pragma once

#include "layers/layer.h"

namespace qlimit {

/// logits: [...,K], any rank from 1 -> the same shape, each row of K positive with sum 1.
Variable softmax(const Variable& logits);

class Softmax : public Layer {
 public:
  Variable forward(const Variable& logits) override { return softmax(logits); }
};

}  // namespace qlimit
