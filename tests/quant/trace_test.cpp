#include "quant/trace.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/average_pool2d.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/dropout.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/pointwise.h"
#include "layers/relu.h"
#include "layers/residual.h"
#include "layers/sequential.h"
#include "layers/softmax.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kThree = {.kernel_h = 3, .kernel_w = 3};
const Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// Batch statistics that differ from the start values, as after some training.
void warm_up(Layer& model, const Shape& input, Random& rng) {
  model.set_training(true);
  for (int step = 0; step < 3; ++step) model(Variable::constant(random_tensor(input, rng, 2.0, 0.5)));
}

/// Every layer that there is.
std::shared_ptr<Sequential> large_model(Random& rng) {
  auto body = std::make_shared<Sequential>();
  body->add<Conv2D>(6, 6, kThree, false, rng).add<BatchNorm2D>(6).add<ReLU>();
  auto model = std::make_shared<Sequential>();
  model->add<Conv2D>(3, 6, kThree, true, rng).add<BatchNorm2D>(6).add<ReLU>();
  model->add<Residual>(body).add<ReLU6>().add<MaxPool2D>(kHalve);
  model->add<DepthwiseConv2D>(6, 2, Window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, false,
                              rng);
  model->add<BatchNorm2D>(12).add<Tanh>().add<AveragePool2D>(kHalve).add<Flatten>();
  model->add<Dropout>(0.5, rng.split(1))
      .add<Dense>(48, 10, true, rng)
      .add<Sigmoid>()
      .add<Dense>(10, 4, false, rng);
  model->add<Softmax>();
  return model;
}

TEST(Trace, AnOutputThatIgnoresTheInputIsAnError) {
  class Stubborn : public Layer {
   public:
    Variable forward(const Variable&) override { return relu(Variable::constant(Tensor<Real>({1, 3}))); }
  };
  Stubborn model;
  expect_error([&] { trace(model, Shape{1, 3}); }, ErrorKind::kUsage, {"must be an activation", "relu_1"});
}

TEST(Trace, TheGraphComputesWhatTheModelComputes) {
  Random rng(11, "model");
  const auto model = large_model(rng);
  warm_up(*model, {8, 16, 16, 3}, rng);
  Graph graph = trace(*model, {8, 16, 16, 3});
  EXPECT_TRUE(model->training()) << "the mode is put back";

  const Tensor<float> images = random_tensor({5, 16, 16, 3}, rng);
  const Tensor<float> expected = [&] {
    const EvaluationMode evaluation(*model);
    return (*model)(Variable::constant(images)).value();
  }();
  for (const bool rewritten : {false, true}) {
    if (rewritten) run_passes(graph);
    const Tensor<float> found = FloatExecutor(graph).run(images);
    ASSERT_EQ(found.shape(), expected.shape());
    for (int64_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << rewritten;
  }
}

TEST(Trace, ReadsNamesShapesAndOptions) {
  Random rng(12, "model");
  Sequential model;
  model.add<Conv2D>(1, 4, Window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, false, rng);
  model.add<BatchNorm2D>(4, BatchNormOptions{.epsilon = 1e-3}).add<ReLU>().add<GlobalAveragePool>();
  model.add<Dropout>(0.3, rng.split(1)).add<Dense>(4, 2, true, rng);
  EXPECT_EQ(to_string(trace(model, {1, 9, 9, 1})),
            "input [1,9,9,1]\n"
            "conv2d_1 = conv2d(input, 0.weight [4,3,3,1]) 3x3 same stride 2x2 -> [1,5,5,4]\n"
            "batch_norm_1 = batch_norm(conv2d_1, 1.gamma [4], 1.beta [4], constant [4], constant [4]) "
            "epsilon 0.001 "
            "-> [1,5,5,4]\n"
            "relu_1 = relu(batch_norm_1) -> [1,5,5,4]\n"
            "mean_1 = mean(relu_1) axes 1 2 -> [1,4]\n"
            "dense_1 = dense(mean_1, 5.weight [2,4], 5.bias [2]) -> [1,2]\n");
}

TEST(Trace, ANewPointwiseFunctionNeedsNothing) {
  class Softplus : public Layer {
   public:
    Variable forward(const Variable& x) override {
      return pointwise(x, "softplus",
                       {.function = [](double v) { return std::log1p(std::exp(v)); },
                        .derivative = [](double v) { return 1 / (1 + std::exp(-v)); }});
    }
  };
  Softplus model;
  const Graph graph = trace(model, Shape{1, 3});
  EXPECT_EQ(to_string(graph), "input [1,3]\nsoftplus_1 = softplus(input) -> [1,3]\n");
  EXPECT_FLOAT_EQ(FloatExecutor(graph).run(Tensor<float>({1, 3}, {0.0f, 1.0f, 2.0f}))[0], std::log(2.0f));
}

TEST(Trace, TheGraphKeepsItsWeightsWhileTheModelChanges) {
  Random rng(13, "model");
  Sequential model;
  model.add<Dense>(3, 2, true, rng);
  const Graph graph = trace(model, Shape{1, 3});
  const float before = graph.value(graph.nodes[0].inputs[1]).constant[0];
  model.parameters()[0].variable.mutable_value().fill(7.0f);
  EXPECT_EQ(graph.value(graph.nodes[0].inputs[1]).constant[0], before);
}

TEST(Trace, AnUnknownOperationIsNamed) {
  class Sorting : public Layer {
   public:
    Variable forward(const Variable& x) override {
      return record(x.value(), {.name = "sort_channels"}, {x}, nullptr);
    }
  };
  Sorting model;
  expect_error([&] { trace(model, Shape{1, 3}); }, ErrorKind::kUnsupported, {"sort_channels", "pointwise()"});
}

TEST(Trace, ATapeThatIsOffIsAnError) {
  Random rng(14, "model");
  Sequential model;
  model.add<Dense>(3, 2, true, rng);
  const TapeOff off;
  expect_error([&] { trace(model, Shape{1, 3}); }, ErrorKind::kUsage, {"tape"});
}

}  // namespace
}  // namespace qlimit
