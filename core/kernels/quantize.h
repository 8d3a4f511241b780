// The way of floats into 8 bits, at the beginning of a model.
#pragma once

#include <cstdint>

namespace qlimit {

/// y = clamp(round(x / scale), low, high) + zero_point, half away from zero, the division in float32. No x is
/// NaN; low and high lie within -512 ... 512, the results within int8.
void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y);

}  // namespace qlimit
