#include "quant/kernels/lookup.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qlimit::int8 {

Lookup make_lookup(const std::function<double(double)>& f, AffineParams input, AffineParams output) {
  Lookup table;
  for (int32_t q = kInt8Min; q <= kInt8Max; ++q) {
    const double real = static_cast<double>(input.scale) * (q - input.zero_point);
    const double steps = std::round(f(real) / static_cast<double>(output.scale));
    if (std::isnan(steps)) {
      throw Error(ErrorKind::kNumeric, {.what = "a pointwise function is not a number",
                                        .where = concat("at ", real),
                                        .hint = "it must be defined over the whole range of its input"});
    }
    table[static_cast<size_t>(q - kInt8Min)] =
        static_cast<int8_t>(std::clamp<double>(steps + output.zero_point, output.low(), output.high()));
  }
  return table;
}

void lookup(const Lookup& table, const int8_t* x, int64_t n, int8_t* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = table[static_cast<size_t>(x[i] - kInt8Min)];
}

}  // namespace qlimit::int8
