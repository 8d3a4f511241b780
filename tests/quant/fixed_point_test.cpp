// The primitives of fixed-point arithmetic against recorded outputs of the real ones, against published
// vectors, and against the formulas in wide integers.
#include "quant/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "tests/quant/golden.h"
#include "tests/quant/wide_integers.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using golden::Json;

constexpr int32_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int32_t kMax32 = std::numeric_limits<int32_t>::max();

// Random integers of all magnitudes, with the extremes among them.
int32_t any_int32(Random& random) {
  switch (random.below(8)) {
    case 0:
      return kMin32;
    case 1:
      return kMax32;
    default: {
      const int32_t magnitude = static_cast<int32_t>(random.next() >> (1 + random.below(31)));
      return random.below(2) == 0 ? magnitude : -magnitude;
    }
  }
}

TEST(QuantizeMultiplier, EqualsRecordedValues) {
  const Json rows = golden::primitive_rows("quantize_multiplier");
  ASSERT_EQ(rows.size(), 294u);
  for (const Json& row : rows) {
    const double real = row[0];
    EXPECT_EQ(quantize_multiplier(real), (QuantizedMultiplier{row[1], row[2]})) << row;
    EXPECT_EQ(quantize_multiplier(real, Rounding::kSingle), (QuantizedMultiplier{row[3], row[4]})) << row;
  }
}

TEST(QuantizeMultiplier, IsTheNearestMultiplier) {
  Random random(1, "multiplier");
  for (int i = 0; i < 10000; ++i) {
    const double real = std::ldexp(random.uniform(0.5, 1.0), static_cast<int>(random.below(60)) - 30);
    const QuantizedMultiplier m = quantize_multiplier(real);
    ASSERT_GE(m.multiplier, 1 << 30);
    // Half a unit of m, exactly: both sides are doubles with room to spare.
    ASSERT_LE(std::abs(std::ldexp(real, 31 - m.shift) - m.multiplier), 0.5) << real;
  }
}

TEST(QuantizeMultiplier, RefusesWhatIsNoMultiplier) {
  for (double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    expect_error([&] { quantize_multiplier(bad); }, ErrorKind::kNumeric,
                 {"fixed point", concat("found ", bad)});
}

TEST(MultiplyByQuantizedMultiplier, EqualsRecordedValues) {
  const Json rows = golden::primitive_rows("multiply_by_quantized_multiplier");
  ASSERT_EQ(rows.size(), 500u);
  for (const Json& row : rows) {
    const QuantizedMultiplier m = {row[1], row[2]};
    EXPECT_EQ(multiply_by_quantized_multiplier(row[0], m, Rounding::kDouble), row[3]) << row;
    EXPECT_EQ(multiply_by_quantized_multiplier(row[0], m, Rounding::kSingle), row[4]) << row;
  }
}

// The first convolution of MLPerf-Tiny's ResNet-8 at the accumulators where runtimes were seen to differ
// (tflite-micro #3130): the reference kernels round 22.49983 to 23.
TEST(MultiplyByQuantizedMultiplier, EqualsPublishedDifferences) {
  struct Row {
    int32_t x;
    QuantizedMultiplier m;
    int32_t twice, once;
  };
  for (const Row& row : {Row{11781, {2099891493, -9}, 23, 22}, Row{221, {1242405367, -8}, 1, 0},
                         Row{4130, {1164674270, -7}, 18, 17}, Row{4880, {1464338136, -9}, 7, 6},
                         Row{36699, {1101019486, -8}, 74, 73}, Row{19277, {1454413568, -9}, 26, 25}}) {
    EXPECT_EQ(multiply_by_quantized_multiplier(row.x, row.m, Rounding::kDouble), row.twice);
    EXPECT_EQ(multiply_by_quantized_multiplier(row.x, row.m, Rounding::kSingle), row.once);
  }
}

TEST(MultiplyByQuantizedMultiplier, EqualsTheFormulaInWideIntegers) {
  Random random(2, "mbqm");
  for (int i = 0; i < 200000; ++i) {
    const int32_t x = any_int32(random);
    QuantizedMultiplier m = {.multiplier = static_cast<int32_t>((1u << 30) + random.below(1u << 30)),
                             .shift = static_cast<int32_t>(random.below(62)) - 31};  // -31 ... 30
    if (random.below(4) == 0) m.multiplier = random.below(2) == 0 ? 1 << 30 : kMax32;
    for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
      ASSERT_EQ(multiply_by_quantized_multiplier(x, m, rounding), wide::multiply(x, m, rounding))
          << x << " " << m.multiplier << " " << m.shift;
    }
  }
}

TEST(SaturatingRoundingDoublingHighMul, EqualsRecordedValuesAndTheFormula) {
  const Json rows = golden::primitive_rows("saturating_rounding_doubling_high_mul");
  ASSERT_EQ(rows.size(), 100u);
  for (const Json& row : rows)
    EXPECT_EQ(saturating_rounding_doubling_high_mul(row[0], row[1]), row[2]) << row;
  Random random(3, "srdhm");
  for (int i = 0; i < 200000; ++i) {
    const int32_t a = any_int32(random);
    const int32_t b =
        random.below(4) == 0 ? 1 << 30 : any_int32(random);  // 2^30 halves: odd numbers are ties
    const wide::Integer exact = wide::nearest_ties_up(wide::Integer{a} * b, wide::power_of_two(31));
    ASSERT_EQ(saturating_rounding_doubling_high_mul(a, b), std::min<wide::Integer>(exact, kMax32))
        << a << " " << b;
  }
}

TEST(RoundingDivideByPot, EqualsRecordedValuesAndTheFormula) {
  const Json rows = golden::primitive_rows("rounding_divide_by_pot");
  ASSERT_EQ(rows.size(), 117u);
  for (const Json& row : rows) EXPECT_EQ(rounding_divide_by_pot(row[0], row[1]), row[2]) << row;
  Random random(4, "rdbpot");
  for (int i = 0; i < 200000; ++i) {
    const int exponent = static_cast<int>(random.below(32));
    const int32_t x = any_int32(random);
    ASSERT_EQ(rounding_divide_by_pot(x, exponent), wide::nearest_ties_away(x, wide::power_of_two(exponent)))
        << x << " " << exponent;
  }
}

TEST(OutputClamp, EqualsRecordedValues) {
  const Json rows = golden::primitive_rows("activation_range");
  ASSERT_EQ(rows.size(), 120u);
  for (const Json& row : rows) {
    const OutputClamp out = output_clamp(golden::to_activation(row[0]),
                                         {.scale = golden::to_float(row[1]), .zero_point = row[2]});
    EXPECT_EQ(out.zero_point, row[2]) << row;
    EXPECT_EQ(out.min, row[3]) << row;
    EXPECT_EQ(out.max, row[4]) << row;
  }
}

TEST(Requantize, SaturatesInsteadOfOverflowing) {
  const OutputClamp out = {.zero_point = 127};
  for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    const QuantizedMultiplier huge = quantize_multiplier(1e12, rounding);
    EXPECT_EQ(requantize(kMax32, huge, out, rounding), 127);
    EXPECT_EQ(requantize(1, huge, out, rounding), 127);
    EXPECT_EQ(requantize(-1, huge, out, rounding), -128);
    EXPECT_EQ(requantize(kMin32, huge, out, rounding), -128);
    EXPECT_EQ(requantize(0, huge, out, rounding), 127);  // the zero point
  }
}

}  // namespace
}  // namespace qlimit
