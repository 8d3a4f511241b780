#include "quant/kernels/quantize.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qlimit::int8 {
namespace {

void check_numbers(const float* x, int64_t n) {
  int64_t strange = 0;
  for (int64_t i = 0; i < n; ++i) strange += x[i] != x[i] ? 1 : 0;
  if (strange == 0) return;
  const float* first = std::find_if(x, x + n, [](float v) { return std::isnan(v); });
  throw Error(ErrorKind::kNumeric,
              {.what = "an input is not a number", .where = concat("element ", first - x)});
}

}  // namespace

void quantize(AffineParams params, const float* x, int64_t n, int8_t* y) {
  check_numbers(x, n);
  // qlimit::quantize in a form without branches and calls, so that the compiler vectorises it. What lies
  // beyond 512 steps is decided for any zero point; within, the conversion to int32 cuts towards zero
  // exactly.
  for (int64_t i = 0; i < n; ++i) {
    const float steps = std::clamp(x[i] / params.scale, -512.0f, 512.0f);
    const int32_t whole = static_cast<int32_t>(steps);
    const float rest = steps - static_cast<float>(whole);
    const int32_t rounded = whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
    y[i] = static_cast<int8_t>(std::clamp(rounded + params.zero_point, kInt8Min, kInt8Max));
  }
}

void dequantize(AffineParams params, const int8_t* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = qlimit::dequantize(x[i], params);
}

}  // namespace qlimit::int8
