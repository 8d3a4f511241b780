// The borders of an integer model: float in, float out. Between them no kernel touches a float.
#pragma once

#include <cstdint>

#include "quant/affine.h"

namespace qlimit::int8 {

/// x, y: n numbers. Each as qlimit::quantize; throws kNumeric, naming the place, for one that is not a
/// number.
void quantize(AffineParams params, const float* x, int64_t n, int8_t* y);

/// x, y: n numbers. Each as qlimit::dequantize.
void dequantize(AffineParams params, const int8_t* x, int64_t n, float* y);

}  // namespace qlimit::int8
