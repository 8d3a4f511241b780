// Integer softmax over the last axis, with a fixed output: scale 1/256, zero point -128 (kSoftmaxParams).
//
//   y[c] = 256 * exp(d[c]) / (sum of exp(d)) - 128,   d[c] = beta * s_in * (x[c] - max x)
//
// The exponential and the reciprocal are gemmlowp's (fixed_point_functions.h), so results equal TFLite's
// reference kernel (reference/softmax.h) bit for bit.
#pragma once

#include <cstdint>

#include "core/shape.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// A softmax made ready for inputs of one shape.
struct SoftmaxParams {
  int64_t rows = 1;
  int64_t classes = 1;
  QuantizedMultiplier multiplier;  // of beta * s_in * 2^26: from input steps to Q5.26
  int32_t least_difference = 0;    // x - max below this has probability 0
};

/// input: [...,K], any rank from 1. Throws kNumeric for beta * s_in <= 2^-26, kUnsupported for more than 4095
/// classes.
SoftmaxParams prepare_softmax(const Shape& input, AffineParams input_params, float beta,
                              Rounding rounding = Rounding::kDouble);

/// x, y: [...,K]. Where the sum of exponentials reaches 512 (more than 511 equal logits) TFLite aborts; here the
/// probabilities, all below half a step, become 0.
void softmax(const SoftmaxParams& params, const int8_t* x, int8_t* y);

}  // namespace qlimit::int8
