// Adam: a step size of its own for each number, from running means of gradient and squared gradient.
//
// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1, at step t = 1, 2, ...
//
//   g = gradient + weight_decay * w                 (decaying parameters only; L2 penalty)
//   m = beta1 * m + (1 - beta1) * g                 mean of the gradient
//   v = beta2 * v + (1 - beta2) * g^2               mean of its square
//   w = w - learning_rate * m' / (sqrt(v') + epsilon),  m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t)
//
// m' and v' undo the bias towards the zeros that m and v start from. Here decay passes through the division
// by sqrt(v'), so numbers with large gradients decay less; AdamW (optim/adamw.h) repairs that. As
// torch.optim.Adam.
#pragma once

#include "optim/optimizer.h"

namespace qlimit {

struct AdamOptions {
  double beta1 = 0.9;       // in [0,1)
  double beta2 = 0.999;     // in [0,1)
  double epsilon = 1e-8;    // above 0: at least the least normal float, 1.2e-38
  double weight_decay = 0;  // 0 or more
};

class Adam : public Optimizer {
 public:
  /// Throws kUsage for an option out of range.
  explicit Adam(const std::vector<Parameter>& parameters, AdamOptions options = {});

 protected:
  void update(const Stretch& stretch, double learning_rate) const override;
  /// One Adam update with g = gradient + penalty * w, after w was multiplied by `shrink`.
  void update(const Stretch& stretch, double learning_rate, double penalty, double shrink) const;

  AdamOptions options_;
};

}  // namespace qlimit
