// The range of an activation, batch by batch (Jacob et al. 2018, section 3.1): exponential moving averages of
// the least and the greatest number of each batch.
//
//   range = smoothing * range + (1 - smoothing) * range of the batch
//
// One batch with an outlier moves the grid a little, not for good.
#pragma once

#include "core/real.h"
#include "core/tensor.h"
#include "quant/affine.h"
#include "quant/fixed_point.h"

namespace qlimit {

/// The least and the greatest of activation(x); x is not empty. What is not a number is passed over; if
/// nothing is left, the range is not finite, which activation_params refuses.
Range range_of(const Tensor<float>& x, Activation activation = Activation::kNone);

/// Moves `range`, [2]: minimum and maximum, towards what was seen. smoothing: the share of the old, in [0,1).
void follow(Tensor<Real>& range, Range seen, double smoothing);

}  // namespace qlimit
