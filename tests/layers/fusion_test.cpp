// Layers that are computed together give what they give one by one: values, gradients, running statistics.
#include "layers/fusion.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/parallel.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/flatten.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"
#include "layers/sequential.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr Window kThree{.kernel_h = 3, .kernel_w = 3};

Tensor<Real> random_tensor(Random& random, const Shape& shape) {
  Tensor<Real> tensor(shape);
  for (Real& x : tensor) x = static_cast<Real>(random.normal());
  return tensor;
}

using Build = std::function<void(Sequential&, Random&)>;

struct Outcome {
  Tensor<Real> y, dx;
  std::vector<Tensor<Real>> gradients, buffers;
};

// Gamma, beta and biases are drawn as well: at 1 and 0 they would hide mistakes.
Outcome run(const Build& build, const Shape& shape, bool fused) {
  Random random(7, "fusion test");
  Sequential model;
  build(model, random);
  for (const Parameter& parameter : model.parameters()) {
    Variable variable = parameter.variable;
    for (Real& x : variable.mutable_value()) x += static_cast<Real>(0.3 * random.normal());
  }
  const Variable x = Variable::parameter(random_tensor(random, shape));
  Variable y = x;
  if (fused) {
    y = model(x);
  } else {
    for (const auto& layer : model.layers()) y = (*layer)(y);
  }
  backward(y, random_tensor(random, y.shape()));
  Outcome outcome{y.value(), x.grad(), {}, {}};
  for (const Parameter& parameter : model.parameters())
    outcome.gradients.push_back(parameter.variable.grad());
  for (const Buffer& buffer : model.buffers()) outcome.buffers.push_back(buffer.tensor);
  return outcome;
}

// Sums over the batch run in another order, and a normalization feels that.
void expect_near(const Tensor<Real>& found, const Tensor<Real>& expected, const char* what) {
  ASSERT_EQ(found.shape(), expected.shape()) << what;
  const double tolerance = std::is_same_v<Real, float> ? 2e-4 : 1e-11;
  for (int64_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance * (1 + std::abs(static_cast<double>(expected[i]))))
        << what << " at " << i;
  }
}

void expect_same(const Build& build, const Shape& shape) {
  const Outcome fused = run(build, shape, true), plain = run(build, shape, false);
  expect_near(fused.y, plain.y, "output");
  expect_near(fused.dx, plain.dx, "gradient of the input");
  ASSERT_EQ(fused.gradients.size(), plain.gradients.size());
  for (size_t i = 0; i < fused.gradients.size(); ++i)
    expect_near(fused.gradients[i], plain.gradients[i], "gradient of a parameter");
  for (size_t i = 0; i < fused.buffers.size(); ++i)
    expect_near(fused.buffers[i], plain.buffers[i], "running statistic");
}

struct Case {
  const char* name;
  size_t layers;  // that are taken at once
  Build build;
  Shape image = {3, 6, 8, 3};
};

const std::vector<Case>& cases() {
  static const auto conv = [](Sequential& m, Random& r) -> Sequential& {
    return m.add<Conv2D>(3, 10, kThree, true, r);
  };
  static const std::vector<Case> all = {
      {"ConvNormReluPool", 4,
       [](Sequential& m, Random& r) { conv(m, r).add<BatchNorm2D>(10).add<ReLU>().add<MaxPool2D>(2); }},
      {"ConvNormRelu6", 3, [](Sequential& m, Random& r) { conv(m, r).add<BatchNorm2D>(10).add<ReLU6>(); }},
      {"ConvNorm", 2, [](Sequential& m, Random& r) { conv(m, r).add<BatchNorm2D>(10); }},
      {"ConvReluPool", 3, [](Sequential& m, Random& r) { conv(m, r).add<ReLU>().add<MaxPool2D>(2); }},
      {"ConvRelu6", 2, [](Sequential& m, Random& r) { conv(m, r).add<ReLU6>(); }},
      {"StridedConvWithoutBias", 3,
       [](Sequential& m, Random& r) {
         m.add<Conv2D>(3, 5, Window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, false, r);
         m.add<BatchNorm2D>(5).add<ReLU>();
       }},
      {"DepthwiseNormReluPool", 4,
       [](Sequential& m, Random& r) {
         m.add<DepthwiseConv2D>(3, 1, kThree, false, r).add<BatchNorm2D>(3).add<ReLU>().add<MaxPool2D>(2);
       }},
      {"DepthwiseWithCopiesAndBias", 3,
       [](Sequential& m, Random& r) {
         m.add<DepthwiseConv2D>(3, 4, kThree, true, r).add<BatchNorm2D>(12).add<ReLU6>();
       }},
      {"StridedDepthwiseRelu", 2,
       [](Sequential& m, Random& r) {
         const Window window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2};
         m.add<DepthwiseConv2D>(3, 1, window, true, r).add<ReLU>();
       }},
      {"NormReluPool", 3,
       [](Sequential& m, Random&) { m.add<BatchNorm2D>(3).add<ReLU>().add<MaxPool2D>(2); }},
      {"NormRelu", 2, [](Sequential& m, Random&) { m.add<BatchNorm2D>(3).add<ReLU>(); }},
      {"ReluPool", 2, [](Sequential& m, Random&) { m.add<ReLU>().add<MaxPool2D>(2); }},
      {"PoolOfAnOddImage",
       3,
       [](Sequential& m, Random& r) { conv(m, r).add<BatchNorm2D>(10).add<ReLU>().add<MaxPool2D>(2); },
       {2, 5, 7, 3}},
      {"OneImageOfOnePixel", 2, [](Sequential& m, Random& r) { conv(m, r).add<ReLU>(); }, {1, 1, 1, 3}},
      {"PoolAlone", 1, [](Sequential& m, Random&) { m.add<MaxPool2D>(2); }},
  };
  return all;
}

class Fusion : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, Fusion, testing::ValuesIn(cases()),
                         [](const auto& shown) { return std::string(shown.param.name); });

TEST_P(Fusion, EqualsTheLayersOneByOne) { expect_same(GetParam().build, GetParam().image); }

TEST_P(Fusion, TakesTheLayersTogether) {
  Random random(1, "fusion test");
  Sequential model;
  GetParam().build(model, random);
  Variable x = Variable::parameter(random_tensor(random, GetParam().image));
  EXPECT_EQ(forward_fused(model.layers(), 0, x), GetParam().layers);
}

TEST_P(Fusion, LeavesTheLayersAloneInEvaluation) {
  Random random(1, "fusion test");
  Sequential model;
  GetParam().build(model, random);
  model.set_training(false);
  Variable x = Variable::parameter(random_tensor(random, GetParam().image));
  EXPECT_EQ(forward_fused(model.layers(), 0, x), 1u);
}

TEST_P(Fusion, DoesNotDependOnTheNumberOfThreads) {
  const int before = thread_count();
  set_thread_count(1);
  const Outcome one = run(GetParam().build, GetParam().image, true);
  set_thread_count(3);
  const Outcome three = run(GetParam().build, GetParam().image, true);
  set_thread_count(before);
  const auto equal = [](const Tensor<Real>& a, const Tensor<Real>& b) {
    return std::equal(a.begin(), a.end(), b.begin());
  };
  EXPECT_TRUE(equal(one.y, three.y));
  EXPECT_TRUE(equal(one.dx, three.dx));
  for (size_t i = 0; i < one.gradients.size(); ++i) EXPECT_TRUE(equal(one.gradients[i], three.gradients[i]));
}

TEST(FusedNet, AWholeNet) {
  expect_same(
      [](Sequential& m, Random& r) {
        m.add<Conv2D>(3, 8, kThree, true, r).add<BatchNorm2D>(8).add<ReLU>().add<MaxPool2D>(2);
        m.add<Conv2D>(8, 16, kThree, false, r).add<BatchNorm2D>(16).add<ReLU>();
        m.add<Conv2D>(16, 12, kThree, true, r).add<ReLU>().add<MaxPool2D>(2);
        m.add<Flatten>().add<Dense>(2 * 3 * 12, 5, true, r).add<ReLU>();
      },
      {20, 8, 12, 3});
}

// A class derived from one of these could compute something else, which fusion would not call.
TEST(FusedNet, FusesNothingThatCanBeOverridden) {
  EXPECT_TRUE(std::is_final_v<Conv2D> && std::is_final_v<DepthwiseConv2D> && std::is_final_v<BatchNorm2D> &&
              std::is_final_v<ReLU> && std::is_final_v<ReLU6> && std::is_final_v<MaxPool2D>);
}

TEST(FusedNet, AFrozenNormKeepsItsStatistics) {
  Random random(1, "fusion test");
  Sequential model;
  const auto norm = std::make_shared<BatchNorm2D>(8);
  model.add<Conv2D>(3, 8, kThree, true, random).append(norm).add<ReLU>();
  norm->set_training(false);
  Variable x = Variable::parameter(random_tensor(random, {2, 4, 4, 3}));
  EXPECT_EQ(forward_fused(model.layers(), 0, x), 1u);
  model(Variable::parameter(random_tensor(random, {2, 4, 4, 3})));
  const std::vector<Buffer> buffers = model.buffers();
  for (const Real mean : buffers[0].tensor) EXPECT_EQ(mean, 0);
}

TEST(FusedNet, TheTapeNamesWhatIsInAnOperation) {
  Random random(1, "fusion test");
  const auto name = [&](auto&&... layers) {
    Sequential model;
    (model.append(std::forward<decltype(layers)>(layers)), ...);
    return model(Variable::parameter(Tensor<Real>({1, 4, 4, 3}))).operation().name;
  };
  const auto conv = [&] { return std::make_shared<Conv2D>(3, 3, kThree, true, random); };
  const auto norm = [] { return std::make_shared<BatchNorm2D>(3); };
  const auto relu = [] { return std::make_shared<ReLU>(); };
  const auto relu6 = [] { return std::make_shared<ReLU6>(); };
  const auto pool = [] { return std::make_shared<MaxPool2D>(2); };
  EXPECT_EQ(name(conv(), norm(), relu6()), "conv2d + batch_norm + relu6");
  EXPECT_EQ(name(conv(), relu(), pool()), "conv2d + relu + max_pool2d");
  EXPECT_EQ(name(norm(), relu(), pool()), "batch_norm_training + relu + max_pool2d");
  EXPECT_EQ(name(relu6(), pool()), "relu6 + max_pool2d");
}

TEST(FusedNet, ANormOfOtherChannelsIsReportedByItself) {
  Random random(1, "fusion test");
  Sequential model;
  model.add<Conv2D>(3, 8, kThree, true, random).add<BatchNorm2D>(9).add<ReLU>();
  const Variable images = Variable::constant(Tensor<Real>({1, 4, 4, 3}));
  expect_error([&] { model(images); }, ErrorKind::kUsage, {"batch_norm2d", "[9]"});
}

}  // namespace
}  // namespace qlimit
