#include "quant/kernels/quantize.h"

#include <cmath>

#include "core/error.h"

namespace qlimit::int8 {

void quantize(AffineParams params, const float* x, int64_t n, int8_t* y) {
  for (int64_t i = 0; i < n; ++i) {
    if (std::isnan(x[i])) {
      throw Error(ErrorKind::kNumeric, {.what = "an input is not a number", .where = concat("element ", i)});
    }
    y[i] = qlimit::quantize(x[i], params);
  }
}

void dequantize(AffineParams params, const int8_t* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = qlimit::dequantize(x[i], params);
}

}  // namespace qlimit::int8
