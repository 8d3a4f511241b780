// ReLU and ReLU6: clamps to [0, inf) and [0, 6]. The gradient is 1 strictly inside and 0 elsewhere, also at
// the bounds.
#pragma once

#include "layers/layer.h"

namespace qlimit {

/// max(x, 0), any shape.
Variable relu(const Variable& x);
/// min(max(x, 0), 6), any shape (Howard et al., "MobileNets", 2017).
Variable relu6(const Variable& x);

class ReLU final : public Layer {
 public:
  Variable forward(const Variable& x) override { return relu(x); }
};

class ReLU6 final : public Layer {
 public:
  Variable forward(const Variable& x) override { return relu6(x); }
};

}  // namespace qlimit
