// How layers are put together: names, modes, random streams.

#include "layers/layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/dropout.h"
#include "layers/flatten.h"
#include "layers/relu.h"
#include "layers/residual.h"
#include "layers/sequential.h"
#include "layers/softmax_cross_entropy.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Names = std::vector<std::string>;

template <typename Item>
Names names(const std::vector<Item>& items) {
  Names result;
  for (const Item& item : items) result.push_back(item.name);
  return result;
}

Tensor<Real> ramp(const Shape& shape) {
  Tensor<Real> tensor(shape);
  for (int64_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<Real>(i % 7) - 3;
  return tensor;
}

// conv, then a block whose body has all that a layer can register, then a dense layer.
struct SmallNet {
  Random rng{1, "weights"};
  std::shared_ptr<Sequential> body = std::make_shared<Sequential>();
  Sequential model;

  SmallNet() {
    const Window same{.kernel_h = 3, .kernel_w = 3};
    body->add<DepthwiseConv2D>(2, 1, same, true, rng)
        .add<BatchNorm2D>(2)
        .add<Dropout>(0.5, Random(1, "dropout"));
    model.add<Conv2D>(1, 2, same, false, rng).add<Residual>(body).add<Flatten>().add<Dense>(32, 3, true, rng);
  }
};

TEST(Layer, NamesFollowThePlaceInTheModel) {
  const SmallNet net;
  EXPECT_EQ(names(net.model.parameters()), (Names{"0.weight", "1.body.0.weight", "1.body.0.bias",
                                                  "1.body.1.gamma", "1.body.1.beta", "3.weight", "3.bias"}));
  EXPECT_EQ(names(net.model.buffers()), (Names{"1.body.1.running_mean", "1.body.1.running_variance"}));
  EXPECT_EQ(names(net.model.random_streams()), (Names{"1.body.2.mask"}));
}

TEST(Layer, OnlyWeightsDecay) {
  for (const Parameter& parameter : SmallNet().model.parameters())
    EXPECT_EQ(parameter.decays, parameter.name.ends_with("weight")) << parameter.name;
}

TEST(Layer, BuffersAreTheLayersOwn) {
  BatchNorm2D layer(2);
  layer.buffers()[0].tensor[1] = 5;  // running_mean
  layer.set_training(false);
  EXPECT_NEAR(layer(Variable::constant(Tensor<Real>({1, 1, 1, 2}, {0, 5}))).value()[1], 0, 1e-6);
}

TEST(Layer, ALayerUsedTwiceIsListedOnce) {
  Random rng(1, "weights");
  const auto shared = std::make_shared<Dense>(4, 4, true, rng);
  Sequential model;
  model.append(shared).add<ReLU>().append(shared);
  EXPECT_EQ(names(model.parameters()), (Names{"0.weight", "0.bias"}));
  const Variable loss = softmax_cross_entropy(model(Variable::constant(ramp({2, 4}))), {0, 3});
  backward(loss);
  for (const Parameter& parameter : model.parameters()) EXPECT_TRUE(parameter.variable.has_grad());
}

TEST(Layer, TrainingModeReachesEveryLayer) {
  SmallNet net;
  const auto count_training = [&] {
    int count = 0;
    net.model.visit([&](Layer& layer) { count += layer.training(); });
    return count;
  };
  EXPECT_EQ(count_training(), 9);  // the model, its 4 layers, the body and its 3
  net.model.set_training(false);
  EXPECT_EQ(count_training(), 0);
  net.model.set_training(true);
  EXPECT_EQ(count_training(), 9);
}

TEST(Layer, EvaluationModeRestoresEachLayersOwnMode) {
  SmallNet net;
  net.body->set_training(false);  // frozen by its owner
  {
    const EvaluationMode evaluation(net.model);
    net.model.visit([](Layer& layer) { EXPECT_FALSE(layer.training()); });
    const EvaluationMode nested(net.model);
  }
  EXPECT_TRUE(net.model.training());
  EXPECT_FALSE(net.body->training());
}

TEST(Layer, AllParametersReceiveGradients) {
  SmallNet net;
  const Variable logits = net.model(Variable::constant(ramp({3, 4, 4, 1})));
  backward(softmax_cross_entropy(logits, {0, 1, 2}));
  for (const Parameter& parameter : net.model.parameters())
    EXPECT_TRUE(parameter.variable.has_grad()) << parameter.name;
}

TEST(Sequential, NoLayerIsNoChild) {
  Sequential model;
  expect_error([&] { model.append(nullptr); }, ErrorKind::kUsage, {"no layer", "0"});
  EXPECT_EQ(model.parameters().size(), 0u);
}

TEST(BatchNorm2D, OptionsOutOfRangeAreToldAtOnce) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  for (const double epsilon : {-1e-5, nan, infinity})
    expect_error([&] { BatchNorm2D(1, {.epsilon = epsilon}); }, ErrorKind::kUsage, {"epsilon"});
  for (const double momentum : {-0.1, 1.1, nan}) {
    expect_error([&] { BatchNorm2D(1, {.momentum = momentum}); }, ErrorKind::kUsage, {"momentum", "0 to 1"});
    expect_error([&] { BatchNorm2D(1).set_momentum(momentum); }, ErrorKind::kUsage, {"momentum"});
  }
}

TEST(BatchNorm2D, AVarianceThatHasNoRootToDivideByIsTold) {
  const auto row = [](Real value) { return Variable::constant(Tensor<Real>::full({1}, value)); };
  const Variable image = Variable::constant(ramp({1, 2, 2, 1}));
  const BatchNormOptions exact{.epsilon = 0};
  expect_error([&] { batch_norm2d(image, row(1), row(0), row(0), row(-1), {}); }, ErrorKind::kNumeric,
               {"variance", "channel 0", "-1 + 1e-05"});
  expect_error([&] { batch_norm2d(image, row(1), row(0), row(0), row(0), exact); }, ErrorKind::kNumeric,
               {"variance", "0 + 0"});
  const Variable constant = Variable::constant(Tensor<Real>::full({2, 2, 2, 1}, 3));
  expect_error([&] { batch_norm2d_training(constant, row(1), row(0), exact); }, ErrorKind::kNumeric,
               {"variance", "0 + 0"});
  EXPECT_EQ(batch_norm2d(image, row(1), row(0), row(0), row(1), exact).value()[3], image.value()[3]);
}

TEST(Residual, AddsBodyAndInput) {
  const auto body = std::make_shared<ReLU>();
  Residual block(body);
  const Variable y = block(Variable::constant(Tensor<Real>({3}, {-2, 0, 5})));
  EXPECT_EQ(y.value()[0], -2);
  EXPECT_EQ(y.value()[1], 0);
  EXPECT_EQ(y.value()[2], 10);
}

TEST(Residual, ShortcutTakesTheInputsPlace) {
  Random rng(1, "weights");
  const auto body = std::make_shared<Dense>(3, 2, false, rng),
             shortcut = std::make_shared<Dense>(3, 2, true, rng);
  Residual block(body, shortcut);
  EXPECT_EQ(names(block.parameters()), (Names{"body.weight", "shortcut.weight", "shortcut.bias"}));
  const Variable x = Variable::constant(ramp({4, 3}));
  const Variable y = block(x), a = (*body)(x), b = (*shortcut)(x);
  for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(y.value()[i], a.value()[i] + b.value()[i]);
}

TEST(Residual, MisuseIsTold) {
  Random rng(1, "weights");
  expect_error([] { Residual block(nullptr); }, ErrorKind::kUsage, {"needs a body"});
  Residual block(std::make_shared<Dense>(3, 2, false, rng));
  expect_error(
      [&] {
        block(Variable::constant(ramp({4, 3})));
      },
      ErrorKind::kUsage, {"add", "[4,2]", "[4,3]"});
}

TEST(Dropout, KeepsTheMeanAndDropsAtItsRate) {
  Random rng(1, "dropout");
  const int64_t size = 100000;
  const double rate = 0.3;
  const Variable y = dropout(Variable::constant(Tensor<Real>::full({size}, 1)), rate, rng);
  int64_t dropped = 0;
  for (const Real value : y.value()) {
    dropped += value == 0;
    EXPECT_TRUE(value == 0 || value == static_cast<Real>(1 / 0.7)) << value;
  }
  // Five standard deviations of a binomial count.
  EXPECT_NEAR(static_cast<double>(dropped), rate * size, 5 * std::sqrt(size * rate * (1 - rate)));
}

TEST(Dropout, IsAbsentInEvaluation) {
  Dropout layer(0.5, Random(1, "dropout"));
  layer.set_training(false);
  const Variable x = Variable::constant(ramp({10}));
  EXPECT_EQ(layer(x).id(), x.id());
}

TEST(Dropout, DrawsAnewEachTimeAndGoesOnFromASavedStream) {
  const Variable x = Variable::constant(Tensor<Real>::full({1000}, 1));
  const auto same = [](const Variable& a, const Variable& b) {
    return std::equal(a.value().begin(), a.value().end(), b.value().begin());
  };
  Dropout layer(0.5, Random(1, "dropout"));
  const Variable first = layer(x);
  const Random::State saved = layer.random_streams().at(0).stream->state();
  const Variable second = layer(x);
  EXPECT_FALSE(same(first, second));

  Dropout resumed(0.5, Random(99, "another"));
  *resumed.random_streams().at(0).stream = Random(saved);
  EXPECT_TRUE(same(resumed(x), second));
}

TEST(Dropout, RateOutOfRangeIsAnError) {
  for (const double rate : {-0.1, 1.0, std::nan("")})
    expect_error([&] { Dropout(rate, Random(1, "dropout")); }, ErrorKind::kUsage, {"dropout", "below 1"});
}

}  // namespace
}  // namespace qlimit
