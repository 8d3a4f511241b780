#include "quant/kernels/softmax.h"

#include <bit>
#include <cmath>

#include "core/error.h"
#include "quant/kernels/fixed_point_functions.h"

namespace qlimit::int8 {
namespace {

constexpr int kIntegerBits = 5;                   // differences are Q5.26
constexpr int kFractionBits = 31 - kIntegerBits;  // 26
constexpr int kSumIntegerBits = 12;               // sums of exponentials are Q12.19
constexpr int64_t kMostClasses = (1 << kSumIntegerBits) - 1;

}  // namespace

SoftmaxParams prepare_softmax(const Shape& input, AffineParams input_params, float beta, Rounding rounding) {
  if (input.rank() < 1 || input.size() == 0 || input[-1] > kMostClasses) {
    throw Error(ErrorKind::kUnsupported, {.what = "wrong input shape",
                                          .where = "softmax",
                                          .expected = concat("[...,K] with K from 1 to ", kMostClasses),
                                          .found = input.to_string()});
  }
  const double most = std::ldexp(1.0, rounding == Rounding::kSingle ? 30 : 31) - 1;
  const double steps =
      std::ldexp(static_cast<double>(beta) * static_cast<double>(input_params.scale), kFractionBits);
  if (!(steps > 1)) {
    throw Error(ErrorKind::kNumeric, {.what = "the input scale is too small",
                                      .where = "softmax",
                                      .expected = "beta * scale above 2^-26",
                                      .found = concat(beta, " * ", input_params.scale)});
  }
  SoftmaxParams p = {.rows = input.size() / input[-1],
                     .classes = input[-1],
                     .multiplier = quantize_multiplier(std::min(steps, most), rounding)};
  // The most negative difference that Q5.26 holds.
  const double least = std::ldexp((1 << kIntegerBits) - 1, kFractionBits - p.multiplier.shift);
  p.least_difference = -static_cast<int32_t>(std::floor(least));
  return p;
}

void softmax(const SoftmaxParams& p, const int8_t* x, int8_t* y) {
  const auto exponential = [&](int32_t difference) {
    const int32_t shifted = saturating_left_shift(difference, p.multiplier.shift);
    const int32_t scaled = saturating_rounding_doubling_high_mul(shifted, p.multiplier.multiplier);
    return exp_on_negative(scaled, kIntegerBits);
  };
  for (int64_t row = 0; row < p.rows; ++row, x += p.classes, y += p.classes) {
    const int32_t greatest = *std::max_element(x, x + p.classes);
    int32_t sum = 0;  // Q12.19
    for (int64_t c = 0; c < p.classes; ++c) {
      const int32_t difference = x[c] - greatest;
      if (difference >= p.least_difference) {
        sum += rounding_divide_by_pot(exponential(difference), kSumIntegerBits);
      }
    }
    // sum * 2^headroom = 1.f as Q1.31, and 1 / 1.f is at hand.
    const int headroom = std::countl_zero(static_cast<uint32_t>(sum));
    const uint32_t fraction = (static_cast<uint32_t>(sum) << headroom) - (uint32_t{1} << 31);
    const int32_t reciprocal = one_over_one_plus(static_cast<int32_t>(fraction));
    const int right = kSumIntegerBits - headroom + 31 - 8;
    for (int64_t c = 0; c < p.classes; ++c) {
      const int32_t difference = x[c] - greatest;
      int32_t probability = 0;
      if (difference >= p.least_difference && right <= 31) {
        probability = rounding_divide_by_pot(
            saturating_rounding_doubling_high_mul(reciprocal, exponential(difference)), right);
      }
      y[c] = static_cast<int8_t>(std::clamp(probability + kSoftmaxParams.zero_point, kInt8Min, kInt8Max));
    }
  }
}

}  // namespace qlimit::int8
