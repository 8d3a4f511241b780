// Ranges of weights, where the right one is known: outliers, Gaussian numbers, numbers of a grid.
#include "quant/remedies/weight_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quant/analysis.h"
#include "quant/calibrate.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const WeightRangeOptions kMse = {.method = WeightRangeMethod::kMse};

/// The squared error that the integers of quantize_filter leave: the definition, by the code that is used.
double error_of(const Tensor<float>& weight, float half_range, int bits) {
  const QuantizedFilter f = quantize_filter(weight, {}, 0, std::vector<float>{half_range}, 1.0f, bits);
  double sum = 0;
  for (int64_t i = 0; i < weight.size(); ++i) {
    const double error = weight[i] - static_cast<double>(f.scales[0]) * f.weight[i];
    sum += error * error;
  }
  return sum;
}

float range_of(const Tensor<float>& weight, int bits, const WeightRangeOptions& options) {
  return weight_half_ranges(weight, 0, Granularity::kPerTensor, bits, options)[0];
}

TEST(WeightRange, MseClipsAnOutlier) {
  Random rng(1, "outlier");
  Tensor<float> weight = random_tensor({1, 2000}, rng);
  weight[77] = 30.0f;
  EXPECT_EQ(range_of(weight, 4, {}), 30.0f);
  const float half = range_of(weight, 4, kMse);
  EXPECT_LT(half, 8.0f);
  EXPECT_LT(error_of(weight, half, 4), 0.6 * error_of(weight, 30.0f, 4));
  // With 8 bits the outlier costs more when it is clipped than steps of 0.24 cost the others.
  EXPECT_GT(range_of(weight, 8, kMse), 20.0f);
}

TEST(WeightRange, NoOtherCandidateIsBetter) {
  const Random seed(2, "candidates");
  for (uint64_t trial = 0; trial < 60; ++trial) {
    Random rng = seed.split(trial);
    Tensor<float> weight = random_tensor({1, 1 + rng.below(60)}, rng);
    for (float& w : weight) w *= static_cast<float>(std::exp(rng.normal()));  // heavy tails
    const int bits = kLeastBits + static_cast<int>(rng.below(7));
    const float most = range_of(weight, bits, {});
    const double least = error_of(weight, range_of(weight, bits, kMse), bits);
    // quantize_filter rounds in float32, the search in double.
    const double slack = 1e-5 * static_cast<double>(most * most) * static_cast<double>(weight.size());
    for (const float candidate : mse_candidates(most)) {
      ASSERT_LE(least, error_of(weight, candidate, bits) + slack) << trial << ": " << candidate;
    }
  }
}

// With 2^b levels Banner et al. (ACIQ, 2019) clip a Gaussian at 2.55 sigma for 4 bits. Weights have one level
// less, and their formula is an approximation. The steps below are those that minimize the integral of the
// squared error over the density for 3, 7, 15 and 31 levels around 0 (Max, "Quantizing for minimum
// distortion", 1960, is about this problem).
TEST(WeightRange, MseFindsTheGaussianOptimum) {
  Random rng(3, "gaussian");
  const Tensor<float> weight = random_tensor({1, 100000}, rng);
  const auto step = [&](int bits) {
    return static_cast<double>(range_of(weight, bits, kMse)) / weight_max(bits);
  };
  EXPECT_NEAR(step(2), 1.224, 0.03);
  EXPECT_NEAR(step(3), 0.651, 0.015);
  EXPECT_NEAR(step(4), 0.353, 0.008);
  EXPECT_NEAR(step(5), 0.193, 0.005);
  EXPECT_NEAR(range_of(weight, 4, kMse), 2.55, 0.13);
}

TEST(WeightRange, NumbersOfAGridKeepIt) {
  Random rng(4, "grid");
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const int32_t top = weight_max(bits);
    Tensor<float> weight({1, 40});
    for (float& w : weight)
      w = 0.37f * static_cast<float>(static_cast<int32_t>(rng.below(2 * top + 1)) - top);
    weight[3] = 0.37f * static_cast<float>(-top);
    EXPECT_EQ(range_of(weight, bits, kMse), range_of(weight, bits, {})) << bits;
    EXPECT_NEAR(weight_squared_error(weight.data(), 40, range_of(weight, bits, {}), bits), 0, 1e-9);
  }
}

TEST(WeightRange, PercentileOfKnownNumbers) {
  Tensor<float> weight({1, 1000});
  for (int64_t i = 0; i < 1000; ++i) weight[i] = static_cast<float>((i % 2 ? 1 : -1) * (i * 7 % 1000 + 1));
  const auto percentile = [&](double p) {
    return range_of(weight, 4, {.method = WeightRangeMethod::kPercentile, .percentile = p});
  };
  EXPECT_EQ(percentile(100), 1000.0f);
  EXPECT_EQ(percentile(99.9), 999.0f);
  EXPECT_EQ(percentile(99), 990.0f);
  EXPECT_EQ(percentile(90.05), 901.0f);
  // 99.9 % of few weights are all of them, and a channel that is nearly all zeros keeps what it has.
  const WeightRangeOptions most = {.method = WeightRangeMethod::kPercentile};
  EXPECT_EQ(range_of(Tensor<float>({1, 3}, {1, -9, 2}), 4, most), 9.0f);
  EXPECT_EQ(range_of(Tensor<float>({1, 4}, {0, 0, 0, 5}), 4, {most.method, 60}), 5.0f);
}

TEST(WeightRange, EachChannelHasItsOwn) {
  Random rng(5, "channels");
  Tensor<float> weight = random_tensor({1, 2, 3, 50}, rng);  // depthwise: the last axis
  for (int64_t i = 0; i < weight.size(); ++i) weight[i] *= static_cast<float>(1 + i % 50);
  for (const WeightRangeMethod method : {WeightRangeMethod::kMse, WeightRangeMethod::kPercentile}) {
    const WeightRangeOptions options = {.method = method, .percentile = 80};
    const auto halves = weight_half_ranges(weight, 3, Granularity::kPerChannel, 3, options);
    ASSERT_EQ(halves.size(), 50u);
    for (int64_t c = 0; c < 50; ++c) {
      Tensor<float> channel({1, 6});
      for (int64_t k = 0; k < 6; ++k) channel[k] = weight[k * 50 + c];
      EXPECT_EQ(halves[static_cast<size_t>(c)], range_of(channel, 3, options));
    }
  }
  const Tensor<float> zeros({2, 3});
  EXPECT_EQ(weight_half_ranges(zeros, 0, Granularity::kPerChannel, 4, kMse), (std::vector<float>{0, 0}));
}

TEST(WeightRange, ALayerWithOutliersGainsFromIt) {
  Random rng(6, "net");
  Graph graph = GraphBuilder(rng, {1, 200}).dense(20, true).graph();
  Tensor<float>& weight = graph.value(graph.nodes[0].inputs[1]).constant;
  for (int64_t i = 0; i < weight.size(); i += 997) weight[i] *= 10;
  const FloatExecutor executor(graph);
  const Tensor<float> images = random_tensor({64, 200}, rng);
  const Ranges ranges = calibrate(executor, images);
  const auto noise = [&](const WeightRangeOptions& range) {
    const QuantizedModel model(quantize(graph, ranges, {.weight_bits = 4, .weight_range = range}));
    return layer_noise(executor, model, images).back().sqnr_db;
  };
  EXPECT_GT(noise(kMse), noise({}) + 3);
}

TEST(WeightRange, OptionsAreChecked) {
  const Tensor<float> weight({1, 2}, {1, 2});
  const auto refuse = [&](int bits, const WeightRangeOptions& options, const char* found) {
    expect_error([&] { range_of(weight, bits, options); }, ErrorKind::kUsage, {found});
  };
  refuse(1, kMse, "2 to 8");
  refuse(4, {.percentile = 50}, "above 50");
  refuse(4, {.percentile = 101}, "above 50");
  refuse(4, {.percentile = std::nan("")}, "above 50");
  expect_error([&] { range_of(Tensor<float>({1, 1}, {std::nanf("")}), 4, kMse); }, ErrorKind::kNumeric, {});
}

}  // namespace
}  // namespace qlimit
