// Flatten: all numbers of an image in one row, between the convolutions and the dense layers.
//
//   Variable rows = flatten(x);   // [32,4,4,8] -> [32,128]
//
// The order stays that of memory (row, column, channel), so nothing is copied.
#pragma once

#include "layers/layer.h"

namespace qlimit {

/// x: [N,...] -> [N,M], where M is the product of the other dimensions. Throws kUsage for a scalar or an
/// empty tensor.
Variable flatten(const Variable& x);

class Flatten : public Layer {
 public:
  Variable forward(const Variable& x) override { return flatten(x); }
};

}  // namespace qlimit
