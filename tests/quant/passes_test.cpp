#include "quant/passes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quant/float_executor.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kThree = {.kernel_h = 3, .kernel_w = 3};

template <typename Kind>
int count(const Graph& graph) {
  int n = 0;
  for (const Node& node : graph.nodes) n += std::holds_alternative<Kind>(node.op) ? 1 : 0;
  return n;
}

/// Largest difference of the outputs, relative to their size where that is above 1.
double difference(const Graph& a, const Graph& b, Random& rng) {
  const Tensor<float> images = random_tensor(with_batch(a.value(a.input).shape, 3), rng);
  const Tensor<float> y = FloatExecutor(a).run(images);
  const Tensor<float> z = FloatExecutor(b).run(images);
  double worst = 0;
  for (int64_t i = 0; i < y.size(); ++i) {
    worst = std::max(worst, std::abs(double{y[i]} - z[i]) / std::max(1.0, std::abs(double{y[i]})));
  }
  return worst;
}

TEST(Passes, RandomNetworksComputeTheSame) {
  Random rng(7, "passes");
  for (int trial = 0; trial < 200; ++trial) {
    const Graph graph = random_graph(rng);
    Graph rewritten = graph;
    run_passes(rewritten);
    EXPECT_EQ(count<op::BatchNorm>(rewritten), 0) << to_string(rewritten);
    EXPECT_LE(rewritten.nodes.size(), graph.nodes.size());
    EXPECT_LT(difference(graph, rewritten, rng), 1e-4) << to_string(graph) << "\n" << to_string(rewritten);
  }
}

TEST(Passes, ConvolutionBatchNormAndReluBecomeOneNode) {
  Random rng(1, "net");
  Graph graph =
      GraphBuilder(rng, {1, 6, 6, 3}).conv(4, kThree, false).batch_norm().apply(op::Clamp{}).graph();
  run_passes(graph);
  EXPECT_EQ(to_string(graph),
            "input [1,6,6,3]\n"
            "conv2d_1 = conv2d(input, c1 [4,3,3,3], conv2d_1.bias [4]) 3x3 same relu -> [1,6,6,4]\n");
}

TEST(Passes, FoldingFollowsTheFormula) {
  // gamma 2, beta 3, mean 5, variance 4, epsilon 12: g = 2/sqrt(16) = 0.5, b' = 3 + 0.5*(b - 5).
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 2});
  const ValueId weight = graph.add_constant("w", Tensor<float>({1, 2}, {8.0f, -6.0f}));
  const ValueId bias = graph.add_constant("b", Tensor<float>({1}, {1.0f}));
  const ValueId dense = graph.add(op::Dense{}, {x, weight, bias});
  std::vector<ValueId> inputs = {dense};
  for (float statistic : {2.0f, 3.0f, 5.0f, 4.0f})
    inputs.push_back(graph.add_constant("s", Tensor<float>({1}, {statistic})));
  graph.add(op::BatchNorm{.epsilon = 12.0}, inputs);
  run_passes(graph);
  ASSERT_EQ(graph.nodes.size(), 1u);
  const Tensor<float>& folded = graph.value(graph.nodes[0].inputs[1]).constant;
  EXPECT_EQ(folded[0], 4.0f);
  EXPECT_EQ(folded[1], -3.0f);
  EXPECT_EQ(graph.value(graph.nodes[0].inputs[2]).constant[0], 1.0f);
}

TEST(Passes, AValueThatOthersReadStaysAsItIs) {
  // conv -> (batch norm, and the raw sum again) -> add: folding into the convolution would change the second
  // reader.
  Random rng(2, "net");
  GraphBuilder net(rng, {1, 5, 5, 2});
  const ValueId raw = net.conv(2, kThree, true).at();
  net.batch_norm().add(raw);
  const ValueId sum = net.at();
  net.apply(op::Clamp{}).add(sum);
  Graph graph = net.graph();
  run_passes(graph);
  EXPECT_EQ(count<op::Conv2D>(graph), 1);
  EXPECT_EQ(count<op::DepthwiseConv2D>(graph), 1) << "the batch norm, in its other form";
  EXPECT_EQ(count<op::Clamp>(graph), 1) << "the sum is read by two";
  EXPECT_LT(difference(net.graph(), graph, rng), 1e-4);
}

TEST(Passes, SharedWeightsAreFoldedSeparately) {
  Random rng(3, "net");
  GraphBuilder net(rng, {1, 5, 5, 2});
  net.conv(2, kThree, false).batch_norm();
  Graph graph = net.graph();
  const ValueId weight = graph.nodes[0].inputs[1];
  graph.add(op::Conv2D{kThree}, {graph.output, weight});
  Graph folded = graph;
  run_passes(folded);
  EXPECT_EQ(folded.nodes.size(), 2u);
  EXPECT_LT(difference(graph, folded, rng), 1e-4);
}

TEST(Passes, ABatchNormAfterAPoolBecomesADepthwiseConvolution) {
  Random rng(4, "net");
  GraphBuilder net(rng, {1, 6, 6, 3});
  net.apply(op::MaxPool2D{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}})
      .batch_norm()
      .apply(op::Clamp{});
  Graph graph = net.graph();
  run_passes(graph);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(std::get<op::DepthwiseConv2D>(graph.nodes[1].op).activation, Activation::kRelu);
  EXPECT_LT(difference(net.graph(), graph, rng), 1e-5);
}

TEST(Passes, APoolOfOnePixelIsDroppedUnlessItClamps) {
  Random rng(7, "net");
  for (Activation activation : {Activation::kNone, Activation::kRelu6}) {
    GraphBuilder net(rng, {1, 3, 3, 2});
    net.apply(op::MaxPool2D{.window = {}, .activation = activation}).apply(op::Tanh{});
    Graph graph = net.graph();
    run_passes(graph);
    EXPECT_EQ(graph.nodes.size(), activation == Activation::kNone ? 1u : 2u);
    EXPECT_EQ(difference(net.graph(), graph, rng), 0);
  }
}

TEST(Passes, ActivationsAreJoinedOnlyWhereTheyAreOne) {
  Random rng(5, "net");
  const auto chain = [&](Activation first, Activation second) {
    Graph graph = GraphBuilder(rng, {1, 4}).dense(3).apply(op::Clamp{first}).apply(op::Clamp{second}).graph();
    run_passes(graph);
    return graph;
  };
  const Graph relu_relu6 = chain(Activation::kRelu, Activation::kRelu6);
  ASSERT_EQ(relu_relu6.nodes.size(), 1u);
  EXPECT_EQ(std::get<op::Dense>(relu_relu6.nodes[0].op).activation, Activation::kRelu6);
  EXPECT_EQ(chain(Activation::kRelu6, Activation::kRelu).nodes.size(), 1u);
  EXPECT_EQ(chain(Activation::kReluN1To1, Activation::kRelu).nodes.size(), 2u);
}

TEST(Passes, ReshapesThatChangeNothingDisappear) {
  Random rng(6, "net");
  GraphBuilder net(rng, {1, 4, 4, 2});
  net.conv(2, kThree, true).apply(op::Reshape{{1, 32}}).apply(op::Reshape{{1, 4, 4, 2}}).apply(op::Clamp{});
  net.apply(op::Mean{.axes = {1, 2}}).flatten().dense(3);
  Graph graph = net.graph();
  run_passes(graph);
  EXPECT_EQ(count<op::Reshape>(graph), 0);
  EXPECT_EQ(graph.nodes.size(), 3u) << to_string(graph);
  EXPECT_EQ(difference(net.graph(), graph, rng), 0.0);
}

TEST(Passes, AVarianceThatIsNotPositiveIsAnError) {
  Random rng(8, "net");
  GraphBuilder net(rng, {1, 4, 4, 2});
  net.conv(2, kThree, true).batch_norm();
  Graph graph = net.graph();
  graph.value(graph.nodes[1].inputs[4]).constant[1] = -1.0f;
  expect_error([&] { run_passes(graph); }, ErrorKind::kNumeric, {"batch_norm_1", "channel 1"});
}

TEST(FloatExecutor, APoolPassesOnWhatIsNotANumber) {
  const float nan = std::nanf("");
  for (const int64_t side : {2, 3}) {
    Graph graph;
    const Window window = {.kernel_h = side, .kernel_w = side, .stride_h = side, .stride_w = side};
    graph.add(op::MaxPool2D{window}, {graph.add_input("x", {1, side, side, 1})});
    Tensor<float> x = Tensor<float>::full({1, side, side, 1}, 1);
    for (int64_t i = 0; i < x.size(); ++i) {
      x[i] = nan;
      EXPECT_TRUE(std::isnan(FloatExecutor(graph).run(x)[0])) << side << ", pixel " << i;
      x[i] = 1;
    }
    EXPECT_EQ(FloatExecutor(graph).run(x)[0], 1);
  }
}

}  // namespace
}  // namespace qlimit
