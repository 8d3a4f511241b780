// Integer multiplication of two tensors, element by element:
//
//   y = clamp((x1 - z1) * (x2 - z2) * M + z_out)    with M = s1 * s2 / s_out
//
// (TFLite, kernels/mul.cc and reference/integer_ops/mul.h.) M may be 1 and more; where TFLite then leaves an
// overflow undefined, this saturates.
#pragma once

#include <cstdint>

#include "core/kernels/table.h"
#include "quant/broadcast.h"
#include "quant/fixed_point.h"
#include "quant/runtime.h"

namespace qlimit::int8 {

/// A multiplication made ready for inputs of two shapes.
struct MulParams {
  Broadcast pairs;
  int32_t first_zero_point = 0;
  int32_t second_zero_point = 0;
  QuantizedMultiplier multiplier;
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;

  bool in_vectors = false;  // as in AddParams
  PairsInt8 row = {};
};

/// runtime: TFLite rounds the product of the scales and then M to float32, TFLM forms M in double
/// (micro/kernels/mul_common.cc). Throws kUsage if the shapes do not fit (quant/broadcast.h).
MulParams prepare_mul(const Shape& first, AffineParams first_params, const Shape& second,
                      AffineParams second_params, const OutputStage& output, Runtime runtime);

/// y: the common shape. y may be x1 or x2 if that one is not broadcast.
void mul(const MulParams& params, const int8_t* x1, const int8_t* x2, int8_t* y);

}  // namespace qlimit::int8
