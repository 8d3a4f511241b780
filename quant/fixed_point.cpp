#include "quant/fixed_point.h"

#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

// zero_point + round(real / scale), kept on the grid; an infinite bound is the end of the grid.
int32_t quantized_bound(float real, AffineParams output) {
  const float steps = std::clamp(std::round(real / output.scale), -512.0f, 512.0f);
  return std::clamp(output.zero_point + static_cast<int32_t>(steps), output.low(), output.high());
}

}  // namespace

QuantizedMultiplier quantize_multiplier(double real, Rounding rounding) {
  if (!std::isfinite(real) || real < 0) {
    throw Error(ErrorKind::kNumeric, {.what = "a multiplier cannot be written in fixed point",
                                      .expected = "a finite number, at least 0",
                                      .found = concat(real),
                                      .hint = "look for a scale that is zero or not a number"});
  }
  if (real == 0) return {};
  int exponent = 0;
  const double fraction = std::frexp(real, &exponent);  // real = fraction * 2^exponent, fraction in [0.5, 1)
  int64_t multiplier = std::llround(std::ldexp(fraction, 31));
  if (multiplier == int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  if (exponent < -31) return {};
  if (rounding == Rounding::kSingle && exponent > 30) return {std::numeric_limits<int32_t>::max(), 30};
  return {static_cast<int32_t>(multiplier), exponent};
}

OutputClamp output_clamp(Activation activation, AffineParams output) {
  const Bounds bounds = bounds_of(activation);
  return {.zero_point = output.zero_point,
          .min = quantized_bound(bounds.low, output),
          .max = quantized_bound(bounds.high, output)};
}

int8_t requantize_float64(int32_t x, double real, const OutputClamp& out) {
  const double y = std::round(x * real) + out.zero_point;
  return static_cast<int8_t>(std::clamp<double>(y, out.min, out.max));
}

}  // namespace qlimit
