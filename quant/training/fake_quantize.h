// Fake quantization: numbers are moved to the integer grid that they will stand on later, but stay floats, so
// that a network can be trained with the errors that its integers will make (Jacob et al. 2018, section 3).
//
//   y = scale * clamp(round(x / scale), low - zero_point, high - zero_point)
//
// These are the very numbers of quantize and dequantize (quant/affine.h), bit for bit. A staircase has no
// useful derivative; the gradients are those of the clamp alone, the "straight-through estimator" (Bengio et
// al., arXiv:1308.3432, section 4): 1 where the number falls on the grid, 0 where it is cut off.
//
//   AffineParams params = activation_params(range, 4);
//   Variable y = fake_quantize(x, params, Activation::kRelu);    // 16 different numbers, none negative
//
// Where the step itself is learned (LSQ: Esser et al., "Learned step size quantization", ICLR 2020), it is a
// Variable and has the gradient of their equation 3. With v = x / step, and q the integer it is rounded to:
//
//   dy/dstep = q - v   on the grid,      q   where it is cut off (q is the bound then)
//
// On the grid is here what rounds to a number of the grid; in equation 3 the grid ends half a step earlier,
// at its bounds themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "core/variable.h"
#include "quant/affine.h"
#include "quant/fixed_point.h"

namespace qlimit {

/// activation(x) on the grid of an activation. x: any shape. Where the activation clamps there is no gradient
/// either. What is not a number stays so: the loss shows it.
Variable fake_quantize(const Variable& x, const AffineParams& params,
                       Activation activation = Activation::kNone);

/// The same with a step that is learned. step: [1], above 0; the grid has the scale step[0] and these bits
/// and zero point. The gradient of the step is the sum over x, divided by sqrt(n * top) with n the elements
/// of one image and top the greatest multiple of the step (Esser et al. 2020, section 2.2), at least 1: a
/// grid of a few bits whose numbers are mostly negative may end at 0.
Variable fake_quantize_learned(const Variable& x, const Variable& step, int32_t zero_point, int bits,
                               Activation activation = Activation::kNone);

/// Weight and bias of a layer on their grids.
struct FakeFilter {
  Variable weight;
  Variable bias;  // empty if the layer has none
};

/// What quantize_filter makes of weight and bias, as real numbers: weights that are multiples of their scale,
/// biases that are multiples of input_scale times it. half_ranges: one, or one for each channel along `axis`.
/// The bias has the gradient 1.
FakeFilter fake_quantize_filter(const Variable& weight, const Variable& bias, int axis,
                                const std::vector<float>& half_ranges, float input_scale, int bits);

/// The same with learned steps, one, or one for each channel; half ranges are step * weight_max(bits). The
/// gradient of each is divided by sqrt(n * weight_max(bits)), n the weights that it belongs to.
FakeFilter fake_quantize_filter_learned(const Variable& weight, const Variable& bias, int axis,
                                        const Variable& steps, float input_scale, int bits);

/// The half ranges that these steps stand for.
std::vector<float> half_ranges_of(const Tensor<float>& steps, int bits);

}  // namespace qlimit
