// Integer addition of two tensors with scales of their own. Both addends are brought to a common fine scale,
// twice the larger one over 2^20, added there, and the sum is brought to the output's (TFLite, kernels/add.cc
// and reference/add.h):
//
//   t = 2 * max(s1, s2),   a = (x1 - z1) * 2^20 * (s1 / t),   b likewise
//   y = clamp((a + b) * (t / (2^20 * s_out)) + z_out)
//
// Of the side with the larger scale, s1 / t is 1/2, and a = (x1 - z1) * 2^19 without any rounding.
#pragma once

#include <cstdint>

#include "core/kernels/table.h"
#include "quant/broadcast.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// One side of an addition.
struct Addend {
  int32_t zero_point = 0;
  QuantizedMultiplier multiplier;
};

/// An addition made ready for inputs of two shapes.
struct AddParams {
  bool swapped = false;  // whether `larger` is the second input
  Broadcast pairs;       // of the larger and the smaller, as all that follows
  Addend larger;         // the side with the larger scale
  Addend smaller;
  QuantizedMultiplier multiplier;
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;

  bool in_vectors = false;  // whether `row` can compute it; if not, the plain loop does
  PairsInt8 row = {};       // what rows of numbers go through
};

/// Throws kUsage if the shapes do not fit (quant/broadcast.h), kNumeric unless the output scale is above
/// 2^-19 of the larger input scale (TFLite aborts there).
AddParams prepare_add(const Shape& first, AffineParams first_params, const Shape& second,
                      AffineParams second_params, const OutputStage& output);

/// y: the common shape. y may be x1 or x2 if that one is not broadcast.
void add(const AddParams& params, const int8_t* x1, const int8_t* x2, int8_t* y);

}  // namespace qlimit::int8
