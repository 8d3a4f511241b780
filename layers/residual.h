// A residual block (He et al., "Deep residual learning", CVPR 2016): what a body of layers computes is added
// to its input, y = body(x) + x. Where the body changes the shape, a shortcut (a strided 1x1 convolution,
// say) changes that of x alike: y = body(x) + shortcut(x).
//
//   auto body = std::make_shared<Sequential>();
//   body->add<Conv2D>(16, 16, window, false, random).add<BatchNorm2D>(16).add<ReLU>();
//   model.add<Residual>(body);
//
// The activation that follows the sum in ResNets is a layer of its own, after this one.
#pragma once

#include "layers/layer.h"

namespace qlimit {

class Residual : public Layer {
 public:
  /// Children "body" and "shortcut". Without a shortcut, body must keep its input's shape.
  explicit Residual(std::shared_ptr<Layer> body, std::shared_ptr<Layer> shortcut = nullptr);

  Variable forward(const Variable& x) override;

 private:
  std::shared_ptr<Layer> body_;
  std::shared_ptr<Layer> shortcut_;  // null: the input itself
};

}  // namespace qlimit
