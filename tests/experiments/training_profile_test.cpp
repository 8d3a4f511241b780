// No test of how long anything takes: only that everything is there, and is what it is called.
#include "experiments/training_profile.h"

#include <gtest/gtest.h>

#include "experiments/models.h"
#include "layers/dense.h"
#include "layers/relu.h"
#include "layers/sequential.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

TEST(TrainingProfile, HasEachOperationWithItsProducts) {
  Random random(1, "weights");
  Sequential model;
  model.add<Dense>(6, 5, /*use_bias=*/true, random).add<ReLU>().add<Dense>(5, 3, /*use_bias=*/true, random);
  const TrainingProfile profile = profile_training(model, Tensor<float>({4, 6}), {0, 1, 2, 0}, 2);
  EXPECT_EQ(profile.batch, 4);
  EXPECT_GT(profile.step_us, 0);
  EXPECT_GT(profile.optimizer_us, 0);
  ASSERT_EQ(profile.operations.size(), 4u);
  const OperationTime& first = profile.operations[0];
  EXPECT_EQ(first.name, "dense");
  EXPECT_EQ(first.output, Shape({4, 5}));
  EXPECT_EQ(first.multiply_adds, 4 * 6 * 5);
  EXPECT_EQ(first.backward_multiply_adds, 4 * 6 * 5);  // of the weights: the data want no gradient
  EXPECT_EQ(profile.operations[1].name, "relu");
  EXPECT_EQ(profile.operations[1].backward_multiply_adds, 0);
  EXPECT_EQ(profile.operations[2].backward_multiply_adds, 2 * 4 * 5 * 3);  // of weights and data
  for (const OperationTime& o : profile.operations) {
    EXPECT_GT(o.forward_us, 0) << o.name;
    EXPECT_GT(o.backward_us, 0) << o.name;
  }
}

TEST(TrainingProfile, LeavesTheWeightsAlone) {
  Random random(1, "weights");
  const auto model = mnist_model(random);
  const Tensor<float> before = model->parameters()[0].variable.value().clone();
  profile_training(*model, Tensor<float>({2, 28, 28, 1}), {0, 1}, 1);
  const Tensor<float>& after = model->parameters()[0].variable.value();
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

TEST(TrainingProfile, TextHasRatesAndShares) {
  const TrainingProfile profile{.batch = 10,
                                .operations = {{.name = "conv2d",
                                                .output = {10, 4, 4, 8},
                                                .multiply_adds = 1'000'000,
                                                .backward_multiply_adds = 2'000'000,
                                                .forward_us = 100,
                                                .backward_us = 250},
                                               {.name = "relu", .output = {10, 4, 4, 8}, .forward_us = 50}},
                                .optimizer_us = 100,
                                .step_us = 500};
  // 1e6 multiply-adds in 100 us: 20 Gop/s of 40; 2e6 in 250 us: 16 Gop/s. 350 of 500 us are 70 %.
  const std::string text = to_text(profile, 20e9);
  for (const char* part : {"0.50 ms for 10 images", "20,000 images/s", "[10,4,4,8]", "20.0     50 %",
                           "16.0     40 %", "70.0 %", "adam", "20.0 %", "total", "100.0 %"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

TEST(TrainingProfile, RefusesNoSteps) {
  Random random(1, "weights");
  const auto model = mnist_model(random);
  expect_error(
      [&] {
        profile_training(*model, Tensor<float>({1, 28, 28, 1}), {0}, 0);
      },
      ErrorKind::kUsage, {"no steps"});
}

}  // namespace
}  // namespace qlimit
