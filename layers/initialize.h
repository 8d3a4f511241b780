// How weights start: random numbers whose spread keeps the size of activations and gradients about equal from
// layer to layer.
//
//   Random random(42, "weights");
//   Tensor<Real> weight = he_normal({8, 3, 3, 16}, /*fan_in=*/3 * 3 * 16, random);
//
// fan_in is the number of inputs that one output sums over, fan_out the number of outputs that one input
// reaches: for a convolution KH*KW*C and KH*KW*O.
#pragma once

#include "core/random.h"
#include "core/real.h"
#include "core/tensor.h"

namespace qlimit {

/// Normal with mean 0 and variance 2 / fan_in: for layers followed by a ReLU, which halves the variance (He
/// et al., "Delving deep into rectifiers", ICCV 2015, equation 10). Throws kUsage if fan_in is below 1.
Tensor<Real> he_normal(const Shape& shape, int64_t fan_in, Random& random);

/// Uniform in [-a,a) with a = sqrt(6 / (fan_in + fan_out)): for layers followed by something almost linear
/// (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
/// 2010, equation 16). Throws kUsage if a fan is below 1.
Tensor<Real> glorot_uniform(const Shape& shape, int64_t fan_in, int64_t fan_out, Random& random);

}  // namespace qlimit
