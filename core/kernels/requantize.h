// The ways into 8 bits: sums of products at the end of a layer, floats at the beginning of a model.
#pragma once

#include <cstdint>

#include "core/kernels/table.h"

namespace qlimit {

/// out = clamp(round((sum + bias) * 2^left_shift * multiplier / 2^(31 + right_shift)) + zero_point), rounded
/// twice as TFLite's reference kernels do (quant/fixed_point.h, Rounding::kDouble), per channel. sum + bias
/// must fit into int32; a multiplier whose left shift is not 0 is 2^30 at least.
void requantize_int8(const RequantizeBlock& block);

/// y = clamp(round(x / scale), low, high) + zero_point, half away from zero, the division in float32. No x is
/// NaN; low and high lie within -512 ... 512, the results within int8.
void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y);

}  // namespace qlimit
