#include "quant/kernels/softmax.h"

#include <bit>
#include <cmath>

#include "core/error.h"

namespace qlimit::int8 {
namespace {

constexpr int kIntegerBits = 5;                   // differences are Q5.26
constexpr int kFractionBits = 31 - kIntegerBits;  // 26
constexpr int kSumIntegerBits = 12;               // sums of exponentials are Q12.19
constexpr int64_t kMostClasses = (1 << kSumIntegerBits) - 1;

// Short names for the two operations that the formulas below consist of.
int32_t multiply(int32_t a, int32_t b) { return saturating_rounding_doubling_high_mul(a, b); }
int32_t halve(int32_t x, int times) { return rounding_divide_by_pot(x, times); }

// exp(a) as Q0.31 for a in [-1/4, 0) in Q0.31: e^(-1/8) times the Taylor polynomial of degree 4 at x = a +
// 1/8.
int32_t exp_near_zero(int32_t a) {
  constexpr int32_t kExpOfMinusEighth = 1895147668;
  constexpr int32_t kThird = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t x2 = multiply(x, x);
  const int32_t x3 = multiply(x2, x);
  const int32_t x4 = multiply(x2, x2);
  // ((x^4/4 + x^3) / 3 + x^2) / 2 = x^4/24 + x^3/6 + x^2/2
  const int32_t higher = halve(multiply(halve(x4, 2) + x3, kThird) + x2, 1);
  return kExpOfMinusEighth + multiply(kExpOfMinusEighth, x + higher);
}

}  // namespace

int32_t exp_on_negative(int32_t a) {
  if (a == 0) return std::numeric_limits<int32_t>::max();
  // exp(a) = exp(part in [-1/4, 0)) * product of exp(-2^k) over the bits of the rest.
  constexpr int32_t kQuarter = 1 << (kFractionBits - 2);
  const int32_t part = (a & (kQuarter - 1)) - kQuarter;
  const int32_t rest = part - a;
  constexpr int32_t kExpOfMinusPowers[] = {
      1672461947, 1302514674, 790015084, 290630308,
      39332535,   720401,     242};  // exp(-1/4), exp(-1/2), ..., exp(-16)
  int32_t result = exp_near_zero(saturating_left_shift(part, kIntegerBits));
  uint32_t bit = kQuarter;
  for (int32_t factor : kExpOfMinusPowers) {
    if (static_cast<uint32_t>(rest) & bit) result = multiply(result, factor);
    bit *= 2;
  }
  return result;
}

int32_t one_over_one_plus(int32_t a) {
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  constexpr int32_t kOne = 1 << 29;                // Q2.29
  // Half the denominator, (1 + a) / 2, as Q0.31: the sum is positive, so adding 1 rounds to nearest.
  const int32_t half = static_cast<int32_t>((int64_t{a} + std::numeric_limits<int32_t>::max() + 1) / 2);
  int32_t x = k48Over17 + multiply(half, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = kOne - multiply(half, x);
    x += saturating_left_shift(multiply(x, error), 2);
  }
  return saturating_left_shift(x, 1);
}

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
    return exp_on_negative(multiply(shifted, p.multiplier.multiplier));
  };
  for (int64_t row = 0; row < p.rows; ++row, x += p.classes, y += p.classes) {
    const int32_t greatest = *std::max_element(x, x + p.classes);
    int32_t sum = 0;  // Q12.19
    for (int64_t c = 0; c < p.classes; ++c) {
      const int32_t difference = x[c] - greatest;
      if (difference >= p.least_difference) sum += halve(exponential(difference), kSumIntegerBits);
    }
    // sum * 2^headroom = 1.f as Q1.31, and 1 / 1.f is at hand.
    const int headroom = std::countl_zero(static_cast<uint32_t>(sum));
    const uint32_t fraction = (static_cast<uint32_t>(sum) << headroom) - (uint32_t{1} << 31);
    const int32_t reciprocal = one_over_one_plus(static_cast<int32_t>(fraction));
    const int right = kSumIntegerBits - headroom + 31 - 8;
    for (int64_t c = 0; c < p.classes; ++c) {
      const int32_t difference = x[c] - greatest;
      int32_t probability = 0;
      if (difference >= p.least_difference && right <= 31)
        probability = halve(multiply(reciprocal, exponential(difference)), right);
      y[c] = static_cast<int8_t>(std::clamp(probability + kSoftmaxParams.zero_point, kInt8Min, kInt8Max));
    }
  }
}

}  // namespace qlimit::int8
