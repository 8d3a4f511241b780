// Batch norm in the weights before it: the same function as the two layers, with the same gradients.
#include "layers/folded_batch_norm.h"

#include <cmath>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "tests/layers/gradient_check.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr Window k3x3{.kernel_h = 3, .kernel_w = 3};
constexpr double kEpsilon = 1e-2;

using LayerFunction =
    std::function<Variable(const Variable& x, const Variable& weight, const Variable& bias)>;

struct Case {
  const char* name;
  Shape x, weight;
  int axis;
  LayerFunction layer;
};

std::vector<Case> cases() {
  const auto conv = [](const auto& x, const auto& w, const auto& b) { return conv2d(x, w, b, k3x3); };
  const auto depthwise = [](const auto& x, const auto& w, const auto& b) {
    return depthwise_conv2d(x, w, b, k3x3);
  };
  const auto strided = [](const auto& x, const auto& w, const auto& b) {
    return conv2d(x, w, b, {.kernel_h = 2, .kernel_w = 1, .stride_h = 2, .padding = Padding::kValid});
  };
  return {{"conv2d", {2, 4, 5, 3}, {4, 3, 3, 3}, 0, conv},
          {"strided", {3, 4, 3, 2}, {1, 2, 1, 2}, 0, strided},
          {"depthwise", {2, 3, 4, 2}, {1, 3, 3, 4}, 3, depthwise},
          {"dense", {7, 5}, {3, 5}, 0, dense}};
}

/// x, weight, gamma, beta.
std::vector<Tensor<Real>> inputs_of(const Case& c, Random& rng) {
  const Shape channels = {c.weight[c.axis]};
  return {random_tensor(c.x, rng), random_tensor(c.weight, rng), random_tensor(channels, rng, 0.5, 1.5),
          random_tensor(channels, rng)};
}

Variable folded_layer(const Case& c, const std::vector<Variable>& in, const Variable& moments) {
  const FoldedWeights folded = fold_into_weights(in[1], c.axis, {in[2], in[3], moments, kEpsilon});
  return c.layer(in[0], folded.weight, folded.bias);
}

TEST(FoldedBatchNorm, GradientsByTheBatchsStatistics) {
  Random rng(1, "folded");
  for (const Case& c : cases()) {
    const auto f = [&](const std::vector<Variable>& in) {
      return folded_layer(c, in, batch_moments(c.layer(in[0], in[1], {})));
    };
    EXPECT_TRUE(gradients_agree(f, inputs_of(c, rng), rng)) << c.name;
  }
}

TEST(FoldedBatchNorm, GradientsByGivenStatistics) {
  Random rng(2, "folded");
  for (const Case& c : cases()) {
    const Shape channels = {c.weight[c.axis]};
    const Variable moments =
        given_moments(random_tensor(channels, rng), random_tensor(channels, rng, 0.2, 2.0));
    const auto f = [&](const std::vector<Variable>& in) { return folded_layer(c, in, moments); };
    EXPECT_TRUE(gradients_agree(f, inputs_of(c, rng), rng)) << c.name;
  }
}

TEST(FoldedBatchNorm, GradientsOfTheMoments) {
  Random rng(3, "moments");
  for (const Shape& shape : {Shape{2, 3, 3, 4}, Shape{9, 2}, Shape{4, 1, 1, 1}}) {
    const auto f = [](const std::vector<Variable>& in) { return batch_moments(in[0]); };
    EXPECT_TRUE(gradients_agree(f, {random_tensor(shape, rng)}, rng)) << shape.to_string();
  }
}

TEST(FoldedBatchNorm, MomentsOfFourNumbers) {
  const Variable moments = batch_moments(Variable::constant(Tensor<Real>({4, 2}, {1, 5, 2, 5, 3, 5, 6, 5})));
  EXPECT_EQ(moments.shape(), (Shape{2, 2}));
  EXPECT_NEAR(moments.value()[0], 3, 1e-12);
  EXPECT_NEAR(moments.value()[1], 5, 1e-12);
  EXPECT_NEAR(moments.value()[2], 3.5, 1e-12) << "(4 + 1 + 0 + 9) / 4";
  EXPECT_NEAR(moments.value()[3], 0, 1e-12);
}

// The layer and its batch norm, one after the other; a bias before batch norm changes nothing.
TEST(FoldedBatchNorm, IsTheLayerAndItsBatchNorm) {
  Random rng(4, "equal");
  for (const Case& c : cases()) {
    if (c.x.rank() != 4) continue;  // BatchNorm2D
    std::vector<Variable> in;
    for (const Tensor<Real>& input : inputs_of(c, rng)) in.push_back(Variable::parameter(input));
    const Shape channels = {c.weight[c.axis]};
    const Variable bias = Variable::constant(random_tensor(channels, rng));
    const BatchNormOptions options = {.epsilon = kEpsilon};
    const auto expect_equal = [&](const Variable& a, const Variable& b) {
      ASSERT_EQ(a.shape(), b.shape());
      for (int64_t i = 0; i < a.value().size(); ++i) ASSERT_NEAR(a.value()[i], b.value()[i], 1e-10) << c.name;
    };
    const Variable before = c.layer(in[0], in[1], {});
    expect_equal(folded_layer(c, in, batch_moments(before)),
                 batch_norm2d_training(c.layer(in[0], in[1], bias), in[2], in[3], options).output);
    const Tensor<Real> mean = random_tensor(channels, rng), variance = random_tensor(channels, rng, 0.1, 2.0);
    expect_equal(
        folded_layer(c, in, given_moments(mean, variance)),
        batch_norm2d(before, in[2], in[3], Variable::constant(mean), Variable::constant(variance), options));
  }
}

TEST(FoldedBatchNorm, WhatDoesNotFitIsRefused) {
  const Variable weight = Variable::constant(Tensor<Real>::full({2, 3}, 1));
  const auto channels = [](int64_t count) { return Variable::constant(Tensor<Real>::full({count}, 1)); };
  const auto moments = [](Real variance) {
    return given_moments(Tensor<Real>({2}), Tensor<Real>::full({2}, variance));
  };
  const auto fold = [&](int axis, int64_t gammas, const Variable& by) {
    fold_into_weights(weight, axis, {channels(gammas), channels(2), by, 1e-5});
  };
  fold(0, 2, moments(1));
  expect_error([&] { fold(0, 3, moments(1)); }, ErrorKind::kUsage, {"[2]", "[3]"});
  expect_error([&] { fold(1, 2, moments(1)); }, ErrorKind::kUsage, {"[3]", "[2]"});
  expect_error([&] { fold(2, 2, moments(1)); }, ErrorKind::kUsage, {"axis 2", "[2,3]"});
  expect_error([&] { fold(0, 2, channels(2)); }, ErrorKind::kUsage, {"[2,2]"});
  expect_error([&] { fold(0, 2, moments(-1)); }, ErrorKind::kNumeric,
               {"variance + epsilon > 0", "channel 0"});
  expect_error([&] { batch_moments(channels(3)); }, ErrorKind::kUsage, {"[N,...,C]", "[3]"});
}

}  // namespace
}  // namespace qlimit
