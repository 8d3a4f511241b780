#include "core/kernels/quantize.h"

#include "core/kernels/table.h"

namespace qlimit {

void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y) {
  kernels().quantize_int8(count, scale, zero_point, low, high, x, y);
}

}  // namespace qlimit
