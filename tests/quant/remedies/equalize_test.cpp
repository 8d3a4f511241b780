#include "quant/remedies/equalize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/quant/remedies/remedy_case.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kThree = {.kernel_h = 3, .kernel_w = 3};
const Window kOne = {};
const Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// Largest difference of the outputs, relative to the largest output.
double difference(const Graph& a, const Graph& b, Random& rng) {
  const Tensor<float> images = random_images(a, 4, rng);
  const Tensor<float> y = FloatExecutor(a).run(images);
  const Tensor<float> z = FloatExecutor(b).run(images);
  double largest = 0, worst = 0;
  for (int64_t i = 0; i < y.size(); ++i) {
    largest = std::max(largest, std::abs(double{y[i]}));
    worst = std::max(worst, std::abs(double{y[i]} - z[i]));
  }
  return worst / std::max(largest, 1e-30);
}

TEST(Equalize, RandomNetworksComputeTheSame) {
  Random rng(1, "equalize");
  size_t pairs = 0;
  for (int trial = 0; trial < 200; ++trial) {
    Graph graph = random_graph(rng);
    run_passes(graph);
    Graph equalized = graph;
    pairs += equalize(equalized).size();
    EXPECT_EQ(to_string(equalized), to_string(graph));
    EXPECT_LT(difference(graph, equalized, rng), 1e-5) << to_string(graph);
  }
  EXPECT_GT(pairs, 50u);
}

/// A depthwise-separable net without batch norm: conv, (depthwise, pointwise) twice, average, dense.
Graph separable_net(Random& rng) {
  GraphBuilder net(rng, {1, 10, 10, 3});
  net.conv(8, kThree, true, Activation::kRelu).depthwise(1, kThree, true, Activation::kRelu);
  net.conv(12, kOne, true, Activation::kRelu).apply(op::MaxPool2D{kHalve});
  net.depthwise(1, kThree, true, Activation::kRelu).conv(12, kOne, true, Activation::kRelu);
  return net.apply(op::Mean{.axes = {1, 2}}).dense(6).graph();
}

/// The range of the weights of channel c of a node's output or input, for the layers of `separable_net`.
float made_range(const Graph& graph, const Node& node, int64_t c) {
  const Tensor<float>& w = graph.value(node.inputs[1]).constant;
  const bool depthwise = std::holds_alternative<op::DepthwiseConv2D>(node.op);
  float range = 0;
  for (int64_t i = 0; i < w.size(); ++i) {
    const bool own = depthwise ? i % w.dim(3) == c : i / (w.size() / w.dim(0)) == c;
    if (own) range = std::max(range, std::abs(w[i]));
  }
  return range;
}
float read_range(const Graph& graph, const Node& node, int64_t c) {
  const Tensor<float>& w = graph.value(node.inputs[1]).constant;
  float range = 0;
  for (int64_t i = c; i < w.size(); i += w.dim(w.rank() - 1)) range = std::max(range, std::abs(w[i]));
  return range;
}

TEST(Equalize, RangesOfAPairAreEqualAfterwards) {
  Random rng(2, "ranges");
  Graph graph = separable_net(rng);
  equalize(graph);
  const std::vector<EqualizedPair> pairs = equalizable_pairs(graph);
  ASSERT_EQ(pairs.size(), 5u);
  for (const EqualizedPair& pair : pairs) {
    for (int64_t c = 0; c < pair.channels; ++c) {
      const float made = made_range(graph, graph.nodes[pair.first], c);
      EXPECT_NEAR(made / read_range(graph, graph.nodes[pair.second], c), 1.0, 1e-3)
          << pair.first << ", " << c;
    }
  }
}

TEST(Equalize, TheScaleFollowsTheFormula) {
  // r1 = {8, 2}, r2 = {2, 2}: s = {sqrt(16) / 2, 1}.
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 2});
  const ValueId w1 = graph.add_constant("w1", Tensor<float>({2, 2}, {8.0f, -4.0f, -2.0f, 1.0f}));
  const ValueId b1 = graph.add_constant("b1", Tensor<float>({2}, {6.0f, 3.0f}));
  const ValueId hidden = graph.add(op::Dense{Activation::kRelu}, {x, w1, b1});
  const ValueId w2 = graph.add_constant("w2", Tensor<float>({1, 2}, {-2.0f, 2.0f}));
  graph.add(op::Dense{}, {hidden, w2});
  const auto changes = equalize(graph);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].name, "dense_1");
  EXPECT_EQ(changes[0].scales, (std::vector<double>{2.0, 1.0}));
  const auto numbers = [&](ValueId id) {
    const Tensor<float>& t = graph.value(id).constant;
    return std::vector<float>(t.begin(), t.end());
  };
  EXPECT_EQ(numbers(w1), (std::vector<float>{4.0f, -2.0f, -2.0f, 1.0f}));
  EXPECT_EQ(numbers(b1), (std::vector<float>{3.0f, 3.0f}));
  EXPECT_EQ(numbers(w2), (std::vector<float>{-4.0f, 2.0f}));
}

/// Multiplies what makes channel c by k_c and divides what reads it: the same function. The k_c of each pair
/// span a factor of 1000.
void damage(Graph& graph, Random& rng) {
  for (const EqualizedPair& pair : equalizable_pairs(graph)) {
    for (int64_t c = 0; c < pair.channels; ++c) {
      const double place = c < 2 ? static_cast<double>(c) : rng.uniform();
      const auto k = static_cast<float>(std::pow(1000.0, place - 0.5));
      const Node& first = graph.nodes[pair.first];
      const bool depthwise = std::holds_alternative<op::DepthwiseConv2D>(first.op);
      Tensor<float>& w1 = graph.value(first.inputs[1]).constant;
      for (int64_t i = 0; i < w1.size(); ++i) {
        if ((depthwise ? i % w1.dim(3) : i / (w1.size() / w1.dim(0))) == c) w1[i] *= k;
      }
      graph.value(first.inputs[2]).constant[c] *= k;
      Tensor<float>& w2 = graph.value(graph.nodes[pair.second].inputs[1]).constant;
      for (int64_t i = c; i < w2.size(); i += w2.dim(w2.rank() - 1)) w2[i] /= k;
    }
  }
}

TEST(Equalize, RepairsANetWhoseRangesWereMadeToDiffer) {
  Random rng(3, "damage");
  const QuantizeOptions per_tensor = {.weights = Granularity::kPerTensor};
  double lost = 0;
  constexpr int kTrials = 10;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random weights = rng.split(static_cast<uint64_t>(trial)), same_weights = weights;
    const Graph whole = separable_net(weights);
    Graph damaged = separable_net(same_weights);
    damage(damaged, rng);
    ASSERT_LT(difference(whole, damaged, rng), 1e-5) << "the damage must not show in floats";

    Graph repaired = damaged;
    equalize(repaired);
    const Tensor<float> images = random_images(whole, 32, rng);
    const auto sqnr = [&](const Graph& graph) {
      return output_sqnr(graph, quantized_on(graph, images, per_tensor), images);
    };
    EXPECT_LT(sqnr(damaged), sqnr(whole) - 10.0);
    EXPECT_GT(sqnr(repaired), sqnr(damaged) + 20.0);
    lost += sqnr(whole) - sqnr(repaired);
  }
  // Single nets win or lose some decibels: ranges move from weights to activations, in undamaged nets too.
  EXPECT_LT(lost / kTrials, 1.0);
}

TEST(Equalize, ADenseLayerReadsTheChannelsOfAFlattenedImage) {
  Random rng(4, "flatten");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(5, kThree, true, Activation::kRelu).apply(op::MaxPool2D{kHalve}).flatten().dense(4);
  Graph graph = net.graph();
  const std::vector<EqualizedPair> pairs = equalizable_pairs(graph);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].channels, 5);
  equalize(graph);
  for (int64_t c = 0; c < 5; ++c) {
    const Tensor<float>& w = graph.value(graph.nodes[pairs[0].second].inputs[1]).constant;
    float read = 0;
    for (int64_t i = c; i < w.size(); i += 5) read = std::max(read, std::abs(w[i]));
    EXPECT_NEAR(made_range(graph, graph.nodes[0], c) / read, 1.0, 1e-3);
  }
}

TEST(Equalize, DepthwiseMultipliersAndGroupsKeepTheFunction) {
  Random rng(5, "groups");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(4, kThree, true, Activation::kRelu).depthwise(3, kThree, true, Activation::kRelu);
  Graph graph = net.graph();
  // 12 channels in three groups of 4, two filters each.
  const ValueId grouped = graph.add_constant("grouped", random_tensor({6, 3, 3, 4}, rng));
  const ValueId y = graph.add(op::Conv2D{kThree, Activation::kRelu}, {graph.output, grouped});
  const ValueId last = graph.add_constant("last", random_tensor({3, 1, 1, 6}, rng));
  graph.add(op::Conv2D{kOne}, {y, last});
  Graph equalized = graph;
  const auto changes = equalize(equalized);
  ASSERT_EQ(changes.size(), 3u);
  for (const EqualizedActivation& change : changes) {
    EXPECT_TRUE(std::any_of(change.scales.begin(), change.scales.end(), [](double s) {
      return std::abs(s - 1) > 0.01;
    })) << change.name;
  }
  EXPECT_LT(difference(graph, equalized, rng), 1e-5);
}

TEST(Equalize, WhatIsNotHomogeneousOrReadTwiceEndsAChain) {
  Random rng(6, "ends");
  const auto pairs_with = [&](const std::vector<Op>& between) {
    GraphBuilder net(rng, {1, 6, 6, 2});
    net.conv(4, kThree, true);
    for (const Op& op : between) net.apply(op);
    return equalizable_pairs(net.conv(3, kThree, true).graph()).size();
  };
  op::Pad around, in_front;
  around.before = {0, 1, 2, 0}, around.after = {0, 2, 1, 0};
  in_front.before = {0, 0, 0, 1};
  const Op relu = op::Clamp{Activation::kRelu}, relu6 = op::Clamp{Activation::kRelu6};
  EXPECT_EQ(pairs_with({}), 1u);
  EXPECT_EQ(pairs_with({relu, op::MaxPool2D{kHalve}, op::AveragePool2D{kHalve}, around}), 1u);
  EXPECT_EQ(pairs_with({op::Mean{.axes = {1, 2}, .keep_dims = true}}), 1u);
  EXPECT_EQ(pairs_with({relu6}), 0u);
  EXPECT_EQ(pairs_with({op::MaxPool2D{kHalve, Activation::kRelu6}}), 0u);
  EXPECT_EQ(pairs_with({in_front}), 0u) << "channels move";
  EXPECT_EQ(pairs_with({op::Tanh{}}), 0u);
  EXPECT_EQ(pairs_with({op::Reshape{{1, 3, 6, 8}}}), 0u) << "channels change their number";

  GraphBuilder residual(rng, {1, 6, 6, 2});
  residual.conv(4, kThree, true, Activation::kRelu);
  const ValueId shortcut = residual.at();
  residual.conv(4, kThree, true, Activation::kRelu).conv(4, kThree, true).add(shortcut, Activation::kRelu);
  const auto pairs = equalizable_pairs(residual.conv(3, kThree, true).graph());
  ASSERT_EQ(pairs.size(), 1u) << "only inside the block";
  EXPECT_EQ(pairs[0].first, 1u);
  EXPECT_EQ(pairs[0].second, 2u);
}

TEST(Equalize, ChannelsWithoutWeightsStay) {
  Random rng(7, "zeros");
  GraphBuilder net(rng, {1, 3});
  Graph graph = net.dense(4, true, Activation::kRelu).dense(2).graph();
  Tensor<float>& made = graph.value(graph.nodes[0].inputs[1]).constant;
  Tensor<float>& read = graph.value(graph.nodes[1].inputs[1]).constant;
  for (int64_t i = 0; i < 3; ++i) made[i] = 0.0f;    // channel 0 is only a bias
  read[1] = read[5] = 0.0f;                          // nobody reads channel 1
  for (int64_t i = 6; i < 9; ++i) made[i] *= 1e-9f;  // channel 2 was switched off
  const auto changes = equalize(graph);
  EXPECT_EQ(changes[0].scales[0], 1.0);
  EXPECT_EQ(changes[0].scales[1], 1.0);
  EXPECT_EQ(changes[0].scales[2], 1.0);
  EXPECT_NE(changes[0].scales[3], 1.0);
}

TEST(Equalize, SharedWeightsAreScaledSeparately) {
  Random rng(8, "shared");
  GraphBuilder net(rng, {1, 4});
  net.dense(4, true, Activation::kRelu);
  Graph graph = net.graph();
  const Node first = graph.nodes[0];
  graph.add(op::Dense{Activation::kRelu}, {graph.output, first.inputs[1], first.inputs[2]});
  graph.add(op::Dense{}, {graph.output, first.inputs[1], first.inputs[2]});
  Graph equalized = graph;
  EXPECT_EQ(equalize(equalized).size(), 2u);
  EXPECT_LT(difference(graph, equalized, rng), 1e-5);
}

TEST(Equalize, OptionsOutOfRangeAreRefused) {
  Random rng(9, "options");
  Graph graph = GraphBuilder(rng, {1, 4}).dense(2).graph();
  expect_error([&] { equalize(graph, {.sweeps = -1}); }, ErrorKind::kUsage, {"equalize"});
  expect_error([&] { equalize(graph, {.tolerance = std::nan("")}); }, ErrorKind::kUsage, {"equalize"});
}

}  // namespace
}  // namespace qlimit
