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
  const float scale = params.scale;
  const int32_t low = kInt8Min - params.zero_point, high = kInt8Max - params.zero_point;
  for (int64_t i = 0; i < n; ++i) {
    float steps = x[i] / scale;
    steps = steps < -512.0f ? -512.0f : steps;
    steps = steps > 512.0f ? 512.0f : steps;
    const int32_t whole = static_cast<int32_t>(steps);
    const float rest = steps - static_cast<float>(whole);
    int32_t rounded = whole + static_cast<int32_t>(rest >= 0.5f) - static_cast<int32_t>(rest <= -0.5f);
    rounded = rounded < low ? low : rounded;
    rounded = rounded > high ? high : rounded;
    y[i] = static_cast<int8_t>(rounded + params.zero_point);
  }
}

void dequantize(AffineParams params, const int8_t* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = qlimit::dequantize(x[i], params);
}

}  // namespace qlimit::int8
