#include "experiments/measure.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/experiments/small_data.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// Answers `answer(i)` for image i, counted over the calls.
Engine answering(std::function<int64_t(int64_t)> answer, int64_t classes = 10) {
  auto next = std::make_shared<int64_t>(0);
  return {.name = "oracle", .run = [=](const Tensor<float>& images) {
            Tensor<float> logits({images.dim(0), classes});
            for (int64_t n = 0; n < images.dim(0); ++n) logits(n, answer((*next)++)) = 1;
            return logits;
          }};
}

TEST(Evaluate, CountsWhatWasTakenForWhat) {
  const Dataset data = striped_images(600, 4, 1);  // image i is of class i % 10
  // Every third image is taken for the next class.
  const Evaluation result =
      evaluate(answering([](int64_t i) { return (i + (i % 3 == 0)) % 10; }), data, channel_statistics(data));
  EXPECT_DOUBLE_EQ(result.accuracy, 400.0 / 600);
  EXPECT_DOUBLE_EQ(result.standard_error, proportion_standard_error(400.0 / 600, 600));
  EXPECT_EQ(result.confusion[3 * 10 + 3], 40);
  EXPECT_EQ(result.confusion[3 * 10 + 4], 20);
  EXPECT_EQ(result.confusion[9 * 10 + 0], 20);
  EXPECT_EQ(result.confusion[3 * 10 + 2], 0);
  ASSERT_EQ(result.outcomes.size(), 600u);
  EXPECT_EQ(result.outcomes[0], 0);
  EXPECT_EQ(result.outcomes[1], 1);
  EXPECT_EQ(result.predictions[3], 4);
}

TEST(Evaluate, RefusesAnotherNumberOfClasses) {
  const Dataset data = striped_images(20, 4, 1);
  expect_error([&] { evaluate(answering([](int64_t) { return 0; }, 9), data, {}); }, ErrorKind::kUsage,
               {"stripes", "oracle", "[20,10]", "[20,9]"});
}

TEST(TrainingGraph, EvaluatesWithoutTapeOrBatchStatistics) {
  const Dataset data = striped_images(40, 32, 3);
  Random random(1, "weights");
  const auto model = micro_cifar_model(random);
  const Engine engine = training_graph(*model);
  const Tensor<float> all = engine.run(first_images(data, {}, 40));
  const Tensor<float> one = engine.run(first_images(data, {}, 1));
  for (int64_t k = 0; k < 10; ++k) EXPECT_FLOAT_EQ(one(0, k), all(0, k));  // an image's answer is its own
}

TEST(Latency, CallsWithSingleImagesInTurn) {
  int64_t calls = 0;
  std::set<float> seen;
  const Engine engine{.name = "counter", .run = [&](const Tensor<float>& images) {
                        EXPECT_EQ(images.shape(), Shape({1, 2, 2, 1}));
                        seen.insert(images[3]);
                        ++calls;
                        return Tensor<float>({1, 10});
                      }};
  Tensor<float> images({5, 2, 2, 1});
  for (int64_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i);
  const Spread s = measure_latency(engine, images, 100);
  EXPECT_EQ(calls, 110);  // a tenth to warm up
  EXPECT_EQ(seen, (std::set<float>{3, 7, 11, 15, 19}));
  EXPECT_GT(s.low, 0);
  EXPECT_LE(s.low, s.median);
  EXPECT_LE(s.median, s.high);
  expect_error([&] { measure_latency(engine, images, 0); }, ErrorKind::kUsage, {"no calls", "0"});
}

TEST(Throughput, CallsWithTheWholeBatch) {
  int64_t calls = 0;
  const Engine engine{.name = "counter", .run = [&](const Tensor<float>& images) {
                        EXPECT_EQ(images.dim(0), 5);
                        ++calls;
                        return Tensor<float>({5, 10});
                      }};
  EXPECT_GT(measure_throughput(engine, Tensor<float>({5, 2, 2, 1}), 1), 0);
  EXPECT_EQ(calls, 6);  // one to warm up, five at least
}

TEST(FirstImages, AreNormalizedAndAtMostAll) {
  Dataset data = striped_images(3, 2, 1);
  data.images.fill(51);
  const Tensor<float> images = first_images(data, {.mean = {0.1}, .deviation = {0.5}}, 8);
  EXPECT_EQ(images.shape(), Shape({3, 2, 2, 1}));
  EXPECT_NEAR(images[0], (51.0 / 255 - 0.1) / 0.5, 1e-6);
}

}  // namespace
}  // namespace qlimit
