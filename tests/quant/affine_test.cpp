// The choice of scales and zero points, against values worked out by hand from the rules.
#include "quant/affine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ActivationParams, KnownRanges) {
  EXPECT_EQ(activation_params({-1.0f, 2.0f}), (AffineParams{3.0f / 255, -43}));  // -128 + 85
  EXPECT_EQ(activation_params({0.0f, 6.0f}), (AffineParams{6.0f / 255, -128}));
  EXPECT_EQ(activation_params({-6.0f, 0.0f}), (AffineParams{6.0f / 255, 127}));
  EXPECT_EQ(activation_params({-1.0f, 1.0f}), (AffineParams{2.0f / 255, -1}));  // -0.5, away from zero
  EXPECT_EQ(activation_params({-2.55f, 2.55e4f}).zero_point, -128);
}

TEST(ActivationParams, RangeIsExtendedToZero) {
  EXPECT_EQ(activation_params({2.0f, 5.0f}), activation_params({0.0f, 5.0f}));
  EXPECT_EQ(activation_params({-5.0f, -2.0f}), activation_params({-5.0f, 0.0f}));
}

TEST(ActivationParams, ZeroIsExactAndTheRangeIsCoveredToHalfAStep) {
  Random random(1, "ranges");
  for (int i = 0; i < 10000; ++i) {
    const double magnitude = std::ldexp(1.0, static_cast<int>(random.below(40)) - 20);
    const Range range = {static_cast<float>(-magnitude * random.uniform()),
                         static_cast<float>(magnitude * random.uniform())};
    if (range.max - range.min < 2e-6f) continue;
    const AffineParams params = activation_params(range);
    ASSERT_GE(params.zero_point, -128);
    ASSERT_LE(params.zero_point, 127);
    EXPECT_EQ(dequantize(quantize(0.0f, params), params), 0.0f);
    const float slack = 0.501f * params.scale;
    EXPECT_NEAR(dequantize(-128, params), range.min, slack);
    EXPECT_NEAR(dequantize(127, params), range.max, slack);
  }
}

TEST(ActivationParams, ALayerThatIsAlwaysZeroHasAScale) {
  for (const Range& range : {Range{0, 0}, Range{0, 1e-30f}, Range{-1e-38f, 0}}) {
    const AffineParams params = activation_params(range);
    EXPECT_FLOAT_EQ(params.scale, 1e-6f / 255);
    EXPECT_EQ(dequantize(quantize(0.0f, params), params), 0.0f);
  }
}

TEST(ActivationParams, AreToldApartInWords) {
  const AffineParams params = {.scale = 0.05f, .zero_point = -3, .bits = 4};
  AffineParams next = params;
  next.scale = std::nextafter(0.05f, 1.0f);
  EXPECT_EQ(to_string(params), "scale 0.05, zero point -3, 4 bits");
  EXPECT_EQ(to_string(next), "scale 0.050000004, zero point -3, 4 bits");
}

TEST(ActivationParams, RefusesWhatIsNotARange) {
  for (const Range& range : {Range{0, kInfinity}, Range{-kInfinity, 0}, Range{std::nanf(""), 1}, Range{1, -1},
                             Range{-3e38f, 3e38f}})
    expect_error([&] { activation_params(range); }, ErrorKind::kNumeric,
                 {concat("[", range.min, ", ", range.max, "]")});
}

TEST(QuantizeNumber, RoundsAwayFromZeroAndSaturates) {
  const AffineParams unit = {.scale = 1.0f, .zero_point = 3};
  EXPECT_EQ(quantize(0.5f, unit), 4);
  EXPECT_EQ(quantize(-0.5f, unit), 2);
  EXPECT_EQ(quantize(2.5f, unit), 6);
  EXPECT_EQ(quantize(-2.5f, unit), 0);
  EXPECT_EQ(quantize(-0.49999997f, unit), 3);
  for (float x : {125.0f, 1e30f, kInfinity}) EXPECT_EQ(quantize(x, unit), 127) << x;
  for (float x : {-131.0f, -1e30f, -kInfinity}) EXPECT_EQ(quantize(x, unit), -128) << x;
  EXPECT_EQ(quantize(kInfinity, {.scale = 1e-30f, .zero_point = -128}), 127);
  EXPECT_EQ(quantize(-kInfinity, {.scale = 1e-30f, .zero_point = 127}), -128);
  expect_error([&] { quantize(std::nanf(""), unit); }, ErrorKind::kNumeric, {"not a number"});
}

TEST(QuantizeNumber, TheExampleInTheHeader) {
  const AffineParams params = activation_params({.min = -1.0f, .max = 2.0f});
  EXPECT_EQ(quantize(0.5f, params), 0);
  EXPECT_NEAR(dequantize(0, params), 0.50588, 1e-5);
}

TEST(QuantizeFilter, PerChannelAlongTheFirstAxis) {
  const Tensor<float> weight({2, 1, 1, 3}, {127.0f, 0.5f, -1.5f, 0.2f, -0.4f, 0.1f});
  const Tensor<float> bias({2}, {10.0f, -0.3f});
  const QuantizedFilter filter = quantize_filter(weight, bias, 0, Granularity::kPerChannel, 0.5f);
  EXPECT_EQ(filter.scales, (std::vector<float>{1.0f, 0.4f / 127}));
  EXPECT_EQ(std::vector<int8_t>(filter.weight.begin(), filter.weight.end()),
            (std::vector<int8_t>{127, 1, -2, 64, -127, 32}));  // 63.5 and 31.75 among them
  EXPECT_EQ(filter.bias,
            (std::vector<int32_t>{20, -191}));  // 10 / 0.5, and -0.3 / (0.5 * 0.4 / 127) = -190.5
}

TEST(QuantizeFilter, PerTensor) {
  const Tensor<float> weight({2, 2}, {127.0f, 0.5f, -1.4f, 2.6f});
  const QuantizedFilter filter = quantize_filter(weight, Tensor<float>(), 0, Granularity::kPerTensor, 0.5f);
  EXPECT_EQ(filter.scales, std::vector<float>{1.0f});
  EXPECT_EQ(std::vector<int8_t>(filter.weight.begin(), filter.weight.end()),
            (std::vector<int8_t>{127, 1, -1, 3}));
  EXPECT_EQ(filter.bias, (std::vector<int32_t>{0, 0}));
}

TEST(QuantizeFilter, PerChannelAlongTheLastAxis) {
  const Tensor<float> weight({1, 2, 1, 2}, {127.0f, 254.0f, -3.0f, -6.0f});
  const QuantizedFilter filter = quantize_filter(weight, Tensor<float>(), 3, Granularity::kPerChannel, 1.0f);
  EXPECT_EQ(filter.scales, (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(std::vector<int8_t>(filter.weight.begin(), filter.weight.end()),
            (std::vector<int8_t>{127, 127, -3, -3}));
}

TEST(QuantizeFilter, GivenHalfRangesClipOutliers) {
  const Tensor<float> weight({1, 3}, {500.0f, -500.0f, 2.0f});
  const QuantizedFilter filter =
      quantize_filter(weight, Tensor<float>(), 0, std::vector<float>{127.0f}, 1.0f);
  EXPECT_EQ(std::vector<int8_t>(filter.weight.begin(), filter.weight.end()),
            (std::vector<int8_t>{127, -127, 2}));
}

// Batch norm folding can leave a channel with weights near zero and a bias that is not: its scale must serve
// the bias.
TEST(QuantizeFilter, ADeadChannelKeepsItsBias) {
  const Tensor<float> weight({3, 2}, {1e-20f, -1e-20f, 0.0f, 0.0f, 0.0f, 0.0f});
  const Tensor<float> bias({3}, {0.75f, -4.0f, 0.0f});
  const float input_scale = 0.02f;
  const QuantizedFilter filter = quantize_filter(weight, bias, 0, Granularity::kPerChannel, input_scale);
  for (size_t c = 0; c < 2; ++c) {
    EXPECT_LE(std::abs(filter.bias[c]), (1 << 30) + 64) << c;  // 2^30 but for float32's rounding
    EXPECT_GE(std::abs(filter.bias[c]), (1 << 30) - 64) << c;
    const double restored = static_cast<double>(input_scale) * filter.scales[c] * filter.bias[c];
    EXPECT_NEAR(restored, bias[static_cast<int64_t>(c)], 1e-6 * std::abs(restored));
  }
  EXPECT_EQ(filter.scales[2], 1.0f);
  EXPECT_EQ(filter.bias[2], 0);
  for (int8_t q : filter.weight) EXPECT_EQ(q, 0);
}

TEST(QuantizeFilter, AnOrdinaryBiasLeavesTheScaleAlone) {
  std::vector<float> half_ranges = {1.0f};
  enlarge_for_bias(half_ranges, Tensor<float>({1}, {1000.0f}), 0.01f);
  EXPECT_EQ(half_ranges[0], 1.0f);
  // 2^30 * 0.01 / 127 = 84546.6 is the greatest bias for this weight range.
  enlarge_for_bias(half_ranges, Tensor<float>({1}, {84500.0f}), 0.01f);
  EXPECT_EQ(half_ranges[0], 1.0f);
  enlarge_for_bias(half_ranges, Tensor<float>({1}, {84600.0f}), 0.01f);
  EXPECT_NEAR(half_ranges[0], 84600.0 / 84546.6, 1e-5);
}

TEST(QuantizeFilter, WeightsTooSmallForFloatScalesCountAsZero) {
  const Tensor<float> weight({1, 2}, {1e-40f, 0.0f});
  const QuantizedFilter filter = quantize_filter(weight, Tensor<float>(), 0, Granularity::kPerChannel, 1.0f);
  EXPECT_EQ(filter.scales[0], 1.0f);
  EXPECT_EQ(filter.weight[0], 0);
}

TEST(QuantizeFilter, RefusesWhatDoesNotFit) {
  const Tensor<float> weight({2, 2}, {1, 2, 3, 4}), infinite({1, 1}, {kInfinity});
  const Tensor<float> no_bias, long_bias({3}), broken_bias({2}, {0, std::nanf("")});
  const std::vector<float> three_ranges = {1, 1, 1};
  const auto filter = [](const Tensor<float>& w, const Tensor<float>& bias, int axis) {
    return [=] { quantize_filter(w, bias, axis, Granularity::kPerChannel, 1.0f); };
  };
  expect_error(filter(weight, long_bias, 0), ErrorKind::kUsage,
               {"number of biases", "expected 2", "found 3"});
  expect_error(filter(weight, no_bias, 2), ErrorKind::kUsage, {"channel axis", "[2,2]"});
  expect_error([&] { quantize_filter(weight, no_bias, 0, three_ranges, 1.0f); }, ErrorKind::kUsage,
               {"one for each output channel", "found 3"});
  for (const float half : {-1.0f, std::nanf(""), kInfinity}) {
    const std::vector<float> halves = {1, half};
    expect_error([&] { quantize_filter(weight, no_bias, 0, halves, 1.0f); }, ErrorKind::kNumeric,
                 {"half range", "channel 1", concat("found ", half)});
  }
  expect_error(filter(infinite, no_bias, 0), ErrorKind::kNumeric, {"not a finite number", "inf"});
  expect_error(filter(weight, broken_bias, 0), ErrorKind::kNumeric, {"not a finite number", "element 1"});
}

}  // namespace
}  // namespace qlimit
