// AdamW: Adam with decoupled weight decay.
//
// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2: decay does not
// enter the gradient but shrinks the weights directly, all at the same pace:
//
//   w = w - learning_rate * weight_decay * w        (decaying parameters only)
//   then Adam's update with the plain gradient      (optim/adam.h)
//
// As torch.optim.AdamW: the learning rate scales the decay too.
#pragma once

#include "optim/adam.h"

namespace qlimit {

class AdamW : public Adam {
 public:
  /// Throws kUsage for an option out of range. The default decay is PyTorch's.
  explicit AdamW(const std::vector<Parameter>& parameters, AdamOptions options = {.weight_decay = 0.01})
      : Adam(parameters, options) {}

 private:
  void update(const Stretch& stretch, double learning_rate) const override;
};

}  // namespace qlimit
