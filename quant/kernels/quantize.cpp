#include "quant/kernels/quantize.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/kernels/quantize.h"

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
  quantize_int8(n, params.scale, params.zero_point, params.low() - params.zero_point,
                params.high() - params.zero_point, x, y);
}

void dequantize(AffineParams params, const int8_t* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = qlimit::dequantize(x[i], params);
}

}  // namespace qlimit::int8
