#include "quant/calibrate.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "quant/quantized_model.h"
#include "quant/recording.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const std::vector<CalibrationMethod> kMethods = {
    CalibrationMethod::kMinMax, CalibrationMethod::kMovingAverage, CalibrationMethod::kPercentile,
    CalibrationMethod::kMse, CalibrationMethod::kEntropy};

TEST(Calibrate, MinMaxIsTheRangeOverAllImages) {
  // x -> relu, images of one number: the range of the result starts at 0.
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 1})});
  const Tensor<float> images({5, 1}, {0.5f, -2.0f, 3.0f, 1.0f, -1.0f});
  for (int64_t batch : {1, 2, 5, 100}) {
    const Ranges ranges = calibrate(FloatExecutor(graph), images, {.observer = {}, .batch = batch});
    ASSERT_EQ(ranges.size(), 2u);
    EXPECT_EQ(ranges[0], (Range{-2.0f, 3.0f}));
    EXPECT_EQ(ranges[1], (Range{0.0f, 3.0f}));
  }
}

TEST(Calibrate, TheMovingAverageFollowsTheBatchesInOrder) {
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 1})});
  const Tensor<float> images({4, 1}, {-1.0f, 1.0f, -3.0f, 5.0f});
  const CalibrationOptions options = {
      .observer = {.method = CalibrationMethod::kMovingAverage, .smoothing = 0.75}, .batch = 2};
  const Ranges ranges = calibrate(FloatExecutor(graph), images, options);
  EXPECT_FLOAT_EQ(ranges[0].min, 0.75f * -1.0f + 0.25f * -3.0f);
  EXPECT_FLOAT_EQ(ranges[0].max, 0.75f * 1.0f + 0.25f * 5.0f);
}

TEST(Calibrate, EveryMethodGivesAModelOnAnyNumberOfThreads) {
  Random rng(1, "calibrate");
  GraphBuilder net(rng, {1, 8, 8, 2});
  net.conv(6, {.kernel_h = 3, .kernel_w = 3}, true, Activation::kRelu)
      .apply(op::Mean{.axes = {1, 2}})
      .dense(4);
  const FloatExecutor executor(net.graph());
  const Tensor<float> images = random_tensor({40, 8, 8, 2}, rng);
  const int threads_before = thread_count();
  for (CalibrationMethod method : kMethods) {
    SCOPED_TRACE(calibration_method_name(method));
    set_thread_count(1);
    const Ranges ranges = calibrate(executor, images, {.observer = {.method = method}});
    EXPECT_LT(ranges[0].min, -2.0f);
    EXPECT_GT(ranges[0].max, 2.0f);
    EXPECT_NO_THROW(QuantizedModel(quantize(net.graph(), ranges)).run(images));
    set_thread_count(3);
    EXPECT_EQ(calibrate(executor, images, {.observer = {.method = method}}), ranges);
  }
  set_thread_count(threads_before);
}

TEST(Calibrate, AnActivationThatIsNotFiniteIsNamed) {
  Graph graph;
  graph.add(op::Pointwise{"log", [](double x) { return std::log(x); }}, {graph.add_input("x", {1, 2})});
  expect_error(
      [&] {
        calibrate(FloatExecutor(graph), Tensor<float>({1, 2}, {1.0f, 0.0f}));
      },
      ErrorKind::kNumeric, {"log_1", "1 of its numbers"});
}

TEST(Calibrate, WrongImagesAreRefused) {
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 2})});
  const FloatExecutor executor(graph);
  expect_error([&] { calibrate(executor, Tensor<float>({4, 3})); }, ErrorKind::kUsage, {"[4,3]"});
  expect_error([&] { calibrate(executor, Tensor<float>({0, 2})); }, ErrorKind::kUsage, {"[0,2]"});
  expect_error(
      [&] {
        calibrate(executor, Tensor<float>({4, 2}), {.observer = {}, .batch = 0});
      },
      ErrorKind::kUsage, {"calibrate"});
}

}  // namespace
}  // namespace qlimit
