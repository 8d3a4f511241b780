#include "quant/kernels/fixed_point_functions.h"

#include "quant/fixed_point.h"

namespace qlimit::int8 {
namespace {

constexpr int32_t kAlmostOne = std::numeric_limits<int32_t>::max();  // the greatest Q0.31 stands for 1

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

// 2 / (1 + a) as Q2.29 for a in [0,1) in Q0.31: the reciprocal of (1 + a) / 2 by Newton's method, from the
// best straight line.
int32_t two_over_one_plus(int32_t a) {
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  constexpr int32_t kOne = 1 << 29;                // Q2.29
  // (1 + a) / 2 as Q0.31: the sum is positive, so adding 1 rounds to nearest.
  const int32_t half = static_cast<int32_t>((int64_t{a} + kAlmostOne + 1) / 2);
  int32_t x = k48Over17 + multiply(half, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = kOne - multiply(half, x);
    x += saturating_left_shift(multiply(x, error), 2);
  }
  return x;
}

}  // namespace

int32_t exp_on_negative(int32_t a, int integer_bits) {
  if (a == 0) return kAlmostOne;
  // exp(a) = exp(part in [-1/4, 0)) * product of exp(-2^k) over the bits of the rest.
  const int32_t quarter = int32_t{1} << (31 - integer_bits - 2);
  const int32_t part = (a & (quarter - 1)) - quarter;
  const int32_t rest = part - a;
  constexpr int32_t kExpOfMinusPowers[] = {
      1672461947, 1302514674, 790015084, 290630308,
      39332535,   720401,     242};  // exp(-1/4), exp(-1/2), ..., exp(-16)
  int32_t result = exp_near_zero(saturating_left_shift(part, integer_bits));
  uint32_t bit = static_cast<uint32_t>(quarter);
  for (int32_t factor : kExpOfMinusPowers) {
    if (static_cast<uint32_t>(rest) & bit) result = multiply(result, factor);
    bit *= 2;
  }
  return result;
}

int32_t one_over_one_plus(int32_t a) { return saturating_left_shift(two_over_one_plus(a), 1); }

int32_t one_minus_over_one_plus(int32_t a) {
  constexpr int32_t kOne = 1 << 29;  // Q2.29
  return saturating_left_shift(two_over_one_plus(a) - kOne, 2);
}

int32_t fixed_point_logistic(int32_t a) {
  if (a == 0) return 1 << 30;
  const int32_t of_magnitude = one_over_one_plus(exp_on_negative(a > 0 ? -a : a, 4));
  return a > 0 ? of_magnitude : kAlmostOne - of_magnitude;
}

int32_t fixed_point_tanh(int32_t a) {
  if (a == 0) return 0;
  // (1 - exp(-2|a|)) / (1 + exp(-2|a|)); a in Q4.27 read as Q5.26 is twice as large.
  const int32_t of_magnitude = one_minus_over_one_plus(exp_on_negative(a > 0 ? -a : a, 5));
  return a > 0 ? of_magnitude : -of_magnitude;
}

}  // namespace qlimit::int8
