// Fixed-point arithmetic: how an int32 accumulator becomes an int8 output without any float.
//
// A layer's accumulator counts in steps of s_in * s_w, its output in steps of s_out, so the accumulator has
// to be multiplied by the real number M = s_in * s_w / s_out. M is written as m * 2^(e-31) with a 31-bit
// integer m:
//
//   QuantizedMultiplier m = quantize_multiplier(0.0003);    // {1319413953, -11}
//   int32_t y = multiply_by_quantized_multiplier(acc, m, Rounding::kDouble);    // round(acc * 0.0003)
//
// Where the rounding happens decides the last bit, and runtimes differ. We follow TFLite's reference kernels
// (kernels/internal/common.cc, quantization_util.cc; gemmlowp fixedpoint.h); the comment of each function
// says which rule it follows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "quant/activation.h"
#include "quant/affine.h"

namespace qlimit {

/// Which runtime's last bit is wanted.
enum class Rounding {
  kDouble,   // twice: at 2^31, then at the shift. TFLite's and TFLM's reference kernels, CMSIS-NN. The
             // default.
  kSingle,   // once, ties upwards: TFLITE_SINGLE_ROUNDING, ruy, CMSIS_NN_USE_SINGLE_ROUNDING
  kFloat64,  // dense layers in double arithmetic, ties away: LiteRT >= 1.3. Everything else as kDouble.
};

/// The real number multiplier * 2^(shift - 31). A positive shift is to the left.
struct QuantizedMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;
  bool operator==(const QuantizedMultiplier&) const = default;
};

/// The nearest representation of `real`, with the multiplier in [2^30, 2^31) or, for 0 and everything below
/// 2^-32, {0,0}. For kSingle, what is 2^30 or more becomes the greatest multiplier with shift 30. Throws
/// kNumeric if `real` is negative, infinite or not a number.
QuantizedMultiplier quantize_multiplier(double real, Rounding rounding = Rounding::kDouble);

/// round(a * b / 2^31), ties towards plus infinity; the one overflow, (-2^31)^2, saturates.
inline int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  if (a == kMin && b == kMin) return std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

/// round(x / 2^exponent), ties away from zero; exponent in 0 ... 31.
inline int32_t rounding_divide_by_pot(int32_t x, int32_t exponent) {
  const int32_t mask = static_cast<int32_t>((int64_t{1} << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

inline int32_t saturate_to_int32(int64_t x) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(x, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

/// x * 2^exponent, saturating; exponent is at least 0.
inline int32_t saturating_left_shift(int32_t x, int32_t exponent) {
  return saturate_to_int32(int64_t{x} << std::min(exponent, 31));
}

/// x * m, rounded to an integer by the rule of `rounding` (kFloat64 counts as kDouble: its arithmetic is
/// another one, see requantize_float64). m.shift is at least -31, and for kSingle at most 30, as
/// quantize_multiplier makes it. Where TFLite leaves an overflow undefined, this saturates.
inline int32_t multiply_by_quantized_multiplier(int32_t x, QuantizedMultiplier m, Rounding rounding) {
  if (rounding == Rounding::kSingle) {
    const int32_t right = 31 - m.shift;
    return saturate_to_int32((int64_t{x} * m.multiplier + (int64_t{1} << (right - 1))) >> right);
  }
  const int32_t shifted = saturating_left_shift(x, std::max(m.shift, 0));
  const int32_t product = saturating_rounding_doubling_high_mul(shifted, m.multiplier);
  return rounding_divide_by_pot(product, std::max(-m.shift, 0));
}

/// Where an operation's output goes: its parameters, the clamp that is fused into it, the rounding.
struct OutputStage {
  AffineParams params;
  Activation activation = Activation::kNone;
  Rounding rounding = Rounding::kDouble;
};

/// An output stage in integers: what remains to be done after the multiplication.
struct OutputClamp {
  int32_t zero_point = 0;
  int32_t min = kInt8Min;
  int32_t max = kInt8Max;
};

/// Zero point and clamp of an output: the activation's real bounds f become zero_point + round(f / scale), a
/// float32 division, within the output's grid, [-128,127] for 8 bits (kernel_util.cc,
/// CalculateActivationRangeQuantized). Where there is no bound, the grid ends.
OutputClamp output_clamp(Activation activation, AffineParams output);

/// The last step of most operations: clamp(x * m + zero_point).
inline int8_t requantize(int32_t x, QuantizedMultiplier m, const OutputClamp& out, Rounding rounding) {
  const int64_t y = int64_t{multiply_by_quantized_multiplier(x, m, rounding)} + out.zero_point;
  return static_cast<int8_t>(std::clamp<int64_t>(y, out.min, out.max));
}

/// The same as LiteRT's dense layer computes it since version 1.3: clamp(round(x * real) + zero_point) in
/// double, ties away from zero. The only kernel arithmetic with floats, for comparisons with that runtime.
int8_t requantize_float64(int32_t x, double real, const OutputClamp& out);

// The real multipliers. Scales are float32 numbers, as files store them; how precisely they are combined
// differs between operations, and the wrong precision shows in some outputs (kernel_util.cc).

/// s_in * s_w / s_out in double: convolutions, and dense layers with one scale for each row.
inline double convolution_multiplier(float input_scale, float weight_scale, float output_scale) {
  return static_cast<double>(input_scale) * static_cast<double>(weight_scale) /
         static_cast<double>(output_scale);
}
/// (s_in * s_w) / s_out with the product rounded to float32: TFLite's dense layers with a single weight
/// scale.
inline double dense_multiplier(float input_scale, float weight_scale, float output_scale) {
  const float product = input_scale * weight_scale;
  return static_cast<double>(product) / static_cast<double>(output_scale);
}
/// s_in / s_out in double: mean and requantization.
inline double rescale_multiplier(float input_scale, float output_scale) {
  return static_cast<double>(input_scale) / static_cast<double>(output_scale);
}
/// s1 * s2 / s_out with product and quotient rounded to float32: multiplication in TFLite (kernels/mul.cc).
inline double product_multiplier(float first_scale, float second_scale, float output_scale) {
  const float product = first_scale * second_scale;
  const float quotient = product / output_scale;
  return static_cast<double>(quotient);
}
/// s_in / s_out rounded to float32: stand-alone ReLU and ReLU6 in TFLite (kernels/activations.cc).
inline double relu_multiplier(float input_scale, float output_scale) {
  const float quotient = input_scale / output_scale;
  return static_cast<double>(quotient);
}

}  // namespace qlimit
