// Observers on sequences whose answer is known, and against published optima for Gaussian and Laplacian
// numbers.
#include "quant/observer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "quant/histogram.h"
#include "quant/range_search.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Range observed(const ObserverOptions& options, const std::vector<float>& values) {
  const std::unique_ptr<Observer> observer = make_observer(options);
  observer->observe(values.data(), static_cast<int64_t>(values.size()));
  return observer->range();
}

std::vector<float> gaussian(int count) {
  Random random(5, "gaussian");
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(random.normal()));
  return values;
}

// Laplace with b = 1, through the inverse of its distribution function.
std::vector<float> laplace(int count) {
  Random random(6, "laplace");
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform(-0.5, 0.5);
    values.push_back(static_cast<float>(std::copysign(std::log1p(-2 * std::abs(u)), u)));
  }
  return values;
}

double step(Range range, int bits) { return (range.max - range.min) / ((1 << bits) - 1); }

const std::vector<CalibrationMethod> kAllMethods = {
    CalibrationMethod::kMinMax, CalibrationMethod::kMovingAverage, CalibrationMethod::kPercentile,
    CalibrationMethod::kMse, CalibrationMethod::kEntropy};

TEST(Observer, MinMaxIsExactOverAllCalls) {
  const std::unique_ptr<Observer> observer = make_observer();
  const std::vector<float> first = {0.1f, -2.3f}, second = {7.7f, 0.0f};
  observer->observe(first.data(), 2);
  observer->observe(second.data(), 2);
  EXPECT_EQ(observer->range(), (Range{-2.3f, 7.7f}));
  EXPECT_EQ(observer->count(), 4);
}

TEST(Observer, MovingAverageFollowsItsFormula) {
  const std::unique_ptr<Observer> observer =
      make_observer({.method = CalibrationMethod::kMovingAverage, .smoothing = 0.75});
  for (const std::vector<float>& call : {std::vector<float>{-1, 4}, {-3, 8, 0}, {0, 0}})
    observer->observe(call.data(), static_cast<int64_t>(call.size()));
  observer->observe(nullptr, 0);
  // min: -1, then -1*3/4 - 3/4 = -1.5, then -1.125; max: 4, then 3 + 2 = 5, then 3.75.
  EXPECT_EQ(observer->range(), (Range{-1.125f, 3.75f}));
}

TEST(Observer, PercentileOfAKnownSequence) {
  // -5000 ... 5000 in a scrambled order; 1 % of 10001 numbers at either end are 100 numbers.
  std::vector<float> values;
  for (int i = -5000; i <= 5000; ++i) values.push_back(static_cast<float>(i));
  Random(1, "scramble").shuffle(values);
  const Range range = observed({.method = CalibrationMethod::kPercentile, .percentile = 99}, values);
  EXPECT_NEAR(range.min, -4900, 2);  // a bin is 8192 / 4096 = 2 wide
  EXPECT_NEAR(range.max, 4900, 2);
  EXPECT_EQ(observed({.method = CalibrationMethod::kPercentile, .percentile = 100}, values),
            (Range{-5000.0f, 5000.0f}));
}

// One of a thousand numbers is 0.1 %, though 100 - 99.9 is a little less in binary.
TEST(Observer, PercentileLeavesOutAsMuchAsItSays) {
  std::vector<float> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 100);
  values[500] = 5000;
  EXPECT_NEAR(observed({.method = CalibrationMethod::kPercentile, .percentile = 99.9}, values).max, 99, 2);
  EXPECT_EQ(observed({.method = CalibrationMethod::kPercentile, .percentile = 99.95}, values).max, 5000);
}

TEST(Observer, PercentileOfReluKeepsZero) {
  std::vector<float> values = gaussian(10000);
  for (float& value : values) value = std::max(value, 0.0f);
  const Range range = observed({.method = CalibrationMethod::kPercentile, .percentile = 99.9}, values);
  EXPECT_EQ(range.min, 0.0f);
  EXPECT_NEAR(range.max, 3.09, 0.15);  // the Gaussian's 99.9th percentile; 10 of 10000 numbers lie beyond
}

// The clipping values of Banner et al. (ACIQ, 2019) for 4 and 8 bits are 2.55 and 3.92 sigma for a
// Gaussian, 5.03 and 9.89 b for a Laplacian, which are steps of 0.319, 0.0306, 0.629 and 0.0773: an
// approximation. Exactly, 16 levels have their least error with steps of 0.3352 (Max, "Quantizing for minimum
// distortion", 1960) and 0.652. Ours has 0 among the levels, so one of the 16 lies further out than its
// opposite.
TEST(Observer, MseFindsThePublishedGaussianOptimum) {
  const std::vector<float> values = gaussian(400000);
  EXPECT_NEAR(step(observed({.method = CalibrationMethod::kMse, .bits = 4}, values), 4), 0.335, 0.02);
  EXPECT_NEAR(step(observed({.method = CalibrationMethod::kMse, .bits = 8}, values), 8), 0.0308, 0.001);
}

TEST(Observer, MseFindsThePublishedLaplacianOptimum) {
  const std::vector<float> values = laplace(400000);
  EXPECT_NEAR(step(observed({.method = CalibrationMethod::kMse, .bits = 4}, values), 4), 0.64, 0.03);
  EXPECT_NEAR(step(observed({.method = CalibrationMethod::kMse, .bits = 8}, values), 8), 0.0773, 0.004);
}

TEST(Observer, MseOfUniformNumbersIsTheStepSquaredOverTwelve) {
  Histogram histogram;
  for (int i = 0; i < 100000; ++i) histogram.add(static_cast<float>((i + 0.5) / 100000));
  const double scale = 1.0 / 15;
  EXPECT_NEAR(quantization_mse(histogram, {0.0f, 1.0f}, 4), scale * scale / 12, 0.01 * scale * scale / 12);
  const Range best = mse_range(histogram, 8);
  EXPECT_EQ(best.min, 0.0f);
  EXPECT_NEAR(best.max, 1.0, 0.01);  // nothing to gain from clipping
}

TEST(Observer, EntropyClipsAnOutlierAndKeepsAUniformDistribution) {
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) values.push_back(static_cast<float>((i + 0.5) / 100000));
  const Range uniform = observed({.method = CalibrationMethod::kEntropy}, values);
  EXPECT_EQ(uniform.min, values.front());
  EXPECT_NEAR(uniform.max, 1.0, 0.01);
  values.push_back(7.5f);
  const Range clipped = observed({.method = CalibrationMethod::kEntropy}, values);
  EXPECT_NEAR(clipped.max, 1.0, 0.01);
}

TEST(Observer, EntropyIgnoresHowManyZerosThereAre) {
  std::vector<float> values = gaussian(50000);
  for (float& value : values) value = std::abs(value);
  const Range without = observed({.method = CalibrationMethod::kEntropy}, values);
  values.insert(values.end(), 500000, 0.0f);
  const Range with = observed({.method = CalibrationMethod::kEntropy}, values);
  EXPECT_NEAR(with.max, without.max, 0.02);
  EXPECT_GT(with.max, 2.5f);
}

TEST(Observer, DependsNeitherOnOrderNorOnBatches) {
  std::vector<float> values = laplace(20000);
  for (CalibrationMethod method : kAllMethods) {
    if (method == CalibrationMethod::kMovingAverage) continue;  // the one that is about order
    const Range whole = observed({.method = method}, values);
    std::vector<float> sorted = values;
    std::sort(sorted.begin(), sorted.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
    const std::unique_ptr<Observer> observer = make_observer({.method = method});
    for (size_t i = 0; i < sorted.size(); i += 250) observer->observe(&sorted[i], 250);
    EXPECT_EQ(observer->range(), whole) << calibration_method_name(method);
  }
}

TEST(Observer, LeavesOutAndCountsWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {std::nanf(""), -1.0f, infinity, 2.0f, -infinity};
  for (CalibrationMethod method : kAllMethods) {
    const std::unique_ptr<Observer> observer = make_observer({.method = method});
    expect_error([&] { observer->range(); }, ErrorKind::kUsage, {"seen no numbers"});
    observer->observe(values.data(), 1);
    expect_error([&] { observer->range(); }, ErrorKind::kUsage, {"seen no numbers", "1 that are not finite"});
    observer->observe(values.data(), 5);
    EXPECT_EQ(observer->count(), 2);
    EXPECT_EQ(observer->not_finite(), 4);
    const Range range = observer->range();
    EXPECT_GE(range.min, -1.0f);
    EXPECT_LE(range.min, range.max);
    EXPECT_LE(range.max, 2.0f);
  }
}

TEST(Observer, NumbersOfAnySizeAndNoneButZero) {
  const std::vector<std::vector<float>> cases = {{0, 0, 0},   {3e38f, -3e38f},
                                                 {1e-45f, 0}, {1e-45f, 3e38f},
                                                 {-5, -5},    {std::numeric_limits<float>::max()}};
  for (CalibrationMethod method : kAllMethods) {
    for (const std::vector<float>& values : cases) {
      const Range range = observed({.method = method}, values);
      EXPECT_LE(range.min, range.max);
      EXPECT_GE(range.min, std::min(0.0f, *std::min_element(values.begin(), values.end())));
      EXPECT_LE(range.max, std::max(0.0f, *std::max_element(values.begin(), values.end())));
    }
  }
}

TEST(Observer, OptionsAreChecked) {
  expect_error([] { make_observer({.smoothing = 1.0}); }, ErrorKind::kUsage, {"smoothing", "below 1"});
  expect_error([] { make_observer({.percentile = 100.5}); }, ErrorKind::kUsage,
               {"percentile", "found 100.5"});
  expect_error([] { make_observer({.percentile = std::nan("")}); }, ErrorKind::kUsage,
               {"percentile", "found nan"});
  expect_error([] { make_observer({.bits = 1}); }, ErrorKind::kUsage, {"bits", "2 to 8"});
  expect_error([] { calibration_method("maximum"); }, ErrorKind::kUsage,
               {"unknown calibration method", "maximum"});
  for (CalibrationMethod method : kAllMethods)
    EXPECT_EQ(calibration_method(calibration_method_name(method)), method);
}

TEST(Histogram, CountsExactlyWhileItGrows) {
  Histogram histogram;
  for (float value : {0.25f, -0.25f, 0.0f, 100.0f, -1000.0f, 0.3f}) histogram.add(value);
  EXPECT_EQ(histogram.count(), 6);
  EXPECT_EQ(histogram.bin_width(), 1024.0 / Histogram::kBinsPerSide);  // 0.25
  const auto in_bin_of = [&](double value) {
    const int64_t bin = static_cast<int64_t>(std::floor(value / 0.25)) + Histogram::kBinsPerSide;
    return histogram.bins()[static_cast<size_t>(bin)];
  };
  EXPECT_EQ(in_bin_of(0.25), 2);
  EXPECT_EQ(in_bin_of(-0.25), 1);
  EXPECT_EQ(in_bin_of(0.0), 1);
  EXPECT_EQ(in_bin_of(100.0), 1);
  EXPECT_EQ(in_bin_of(-1000.0), 1);
}

}  // namespace
}  // namespace qlimit
