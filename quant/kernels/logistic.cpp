#include "quant/kernels/logistic.h"

#include <cmath>

#include "core/error.h"
#include "quant/fixed_point.h"
#include "quant/kernels/fixed_point_functions.h"

namespace qlimit::int8 {
namespace {

// Fills a table: number(q - z_in), kept on the output's grid, for each input q.
template <typename Number>
Lookup fill_table(int32_t input_zero_point, const AffineParams& output, const Number& number) {
  Lookup table;
  for (int32_t q = kInt8Min; q <= kInt8Max; ++q) {
    auto y = number(q - input_zero_point);
    table[static_cast<size_t>(q - kInt8Min)] =
        static_cast<int8_t>(std::clamp<decltype(y)>(y, output.low(), output.high()));
  }
  return table;
}

// Each step rounds to float32 as it does in TFLite.
template <typename Function>
Lookup float_table(AffineParams input, AffineParams output, const Function& function) {
  const float steps_per_unit = 1.0f / output.scale;
  return fill_table(input.zero_point, output, [&](int32_t steps) {
    const float real = input.scale * static_cast<float>(steps);
    const float y = std::round(function(real) * steps_per_unit) + static_cast<float>(output.zero_point);
    if (std::isnan(y)) {
      throw Error(ErrorKind::kNumeric, {.what = "a pointwise function is not a number",
                                        .where = concat("at ", real),
                                        .hint = "look for a scale that is zero or infinite"});
    }
    return y;
  });
}

// function: from Q4.27 to Q0.31; its result is rounded to so many fraction bits.
template <typename Function>
Lookup fixed_point_table(const char* name, AffineParams input, AffineParams output, AffineParams only,
                         int fraction_bits, const Function& function) {
  if (output != only) {
    throw Error(ErrorKind::kUnsupported,
                {.what = "TFLite Micro knows only one scale and zero point for this output",
                 .where = name,
                 .expected = concat(only.scale, " and ", only.zero_point),
                 .found = concat(output.scale, " and ", output.zero_point)});
  }
  constexpr int kIntegerBits = 4;
  const double real = std::ldexp(static_cast<double>(input.scale), 31 - kIntegerBits);
  if (!(real >= 0.5)) {
    throw Error(ErrorKind::kNumeric, {.what = "the input scale is too small",
                                      .where = name,
                                      .expected = "at least 2^-28",
                                      .found = concat(input.scale)});
  }
  const QuantizedMultiplier multiplier = quantize_multiplier(real);
  // Beyond this many steps Q4.27 ends, and the function is flat.
  const auto radius =
      static_cast<int32_t>(std::ldexp((1 << kIntegerBits) - 1, 31 - kIntegerBits - multiplier.shift));
  return fill_table(input.zero_point, output, [&](int32_t steps) {
    if (steps <= -radius) return kInt8Min;
    if (steps >= radius) return kInt8Max;
    const int32_t argument = multiply_by_quantized_multiplier(steps, multiplier, Rounding::kDouble);
    return rounding_divide_by_pot(function(argument), 31 - fraction_bits) + output.zero_point;
  });
}

}  // namespace

Lookup logistic_table(AffineParams input, AffineParams output, Runtime runtime) {
  if (runtime == Runtime::kTfliteMicro) {
    return fixed_point_table("logistic", input, output, kLogisticParams, 8, fixed_point_logistic);
  }
  return float_table(input, output, [](float r) { return 1.0f / (1.0f + std::exp(-r)); });
}

Lookup tanh_table(AffineParams input, AffineParams output, Runtime runtime) {
  if (runtime == Runtime::kTfliteMicro) {
    return fixed_point_table("tanh", input, output, kTanhParams, 7, fixed_point_tanh);
  }
  return float_table(input, output, [](float r) { return std::tanh(r); });
}

}  // namespace qlimit::int8
