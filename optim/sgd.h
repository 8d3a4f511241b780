// Stochastic gradient descent with momentum.
//
//   g = gradient + weight_decay * w              (decaying parameters only; L2 penalty)
//   v = momentum * v + g                         (v starts at zero)
//   w = w - learning_rate * v                    classical momentum (Polyak, 1964)
//   w = w - learning_rate * (g + momentum * v)   Nesterov's
//
// Nesterov's momentum is that of Sutskever, Martens, Dahl and Hinton, "On the importance of initialization
// and momentum in deep learning", ICML 2013, rewritten for the look-ahead point.
//
// This is torch.optim.SGD with dampening 0: the learning rate stands outside the velocity, so that a new rate
// acts at once on all the momentum gathered.
#pragma once

#include "optim/optimizer.h"

namespace qlimit {

struct SgdOptions {
  double momentum = 0;  // in [0,1)
  bool nesterov = false;
  double weight_decay = 0;  // 0 or more
};

class Sgd : public Optimizer {
 public:
  /// Throws kUsage for an option out of range, and for Nesterov without momentum.
  explicit Sgd(const std::vector<Parameter>& parameters, SgdOptions options = {});

 private:
  void update(const Stretch& stretch, double learning_rate) const override;

  SgdOptions options_;
};

}  // namespace qlimit
