#include "quant/training/unfolded_layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quant/passes.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// The constants of the node that computes the value of this name; k = 1 for weights, 2 for biases.
Tensor<float> constant_of(const Graph& graph, const std::string& name, size_t k) {
  for (const Node& node : graph.nodes)
    if (graph.value(node.output).name == name) return graph.value(node.inputs.at(k)).constant;
  ADD_FAILURE() << name;
  return {};
}

// By hand: W' = gamma / sqrt(variance + epsilon) * W and b' = beta - gamma / sqrt(...) * mean are what
// run_passes makes, for convolutions with and without bias, depthwise ones and dense layers.
TEST(UnfoldedLayers, FoldToWhatThePassesMake) {
  Random rng(1, "unfolded");
  GraphBuilder net(rng, {1, 6, 6, 3});
  net.conv(4, {.kernel_h = 3, .kernel_w = 3}, true).batch_norm().apply(op::Clamp{});
  net.depthwise(2, {.kernel_h = 3, .kernel_w = 3}, false).batch_norm();
  net.apply(op::Mean{.axes = {1, 2}}).dense(5).batch_norm().apply(op::Clamp{}).dense(2);
  Graph folded = net.graph();
  const UnfoldedLayers layers = unfolded_layers(folded);
  run_passes(folded);
  ASSERT_EQ(layers.size(), 3u) << "the last dense layer has no batch norm";
  for (const auto& [name, layer] : layers) {
    const Tensor<float> weight = constant_of(folded, name, 1), bias = constant_of(folded, name, 2);
    const int64_t channels = bias.size(), inner = name == "depthwise_conv2d_1" ? 1 : weight.size() / channels;
    for (int64_t i = 0; i < weight.size(); ++i) {
      const int64_t c = i / inner % channels;
      const double factor = layer.gamma[c] / std::sqrt(layer.variance[c] + layer.epsilon);
      EXPECT_NEAR(weight[i], factor * layer.weight[i], 1e-5 * std::abs(weight[i]) + 1e-7) << name;
      EXPECT_NEAR(bias[c], layer.beta[c] - factor * layer.mean[c], 1e-5) << name;
    }
  }
}

TEST(UnfoldedLayers, HaveNoneThatThePassesDoNotFold) {
  Random rng(2, "others");
  GraphBuilder net(rng, {1, 6, 6, 3});
  net.apply(op::MaxPool2D{{.kernel_h = 2, .kernel_w = 2}}).batch_norm();  // becomes a depthwise convolution
  net.conv(3, {}, true);
  const ValueId read_twice = net.at();
  net.batch_norm().add(read_twice).apply(op::Mean{.axes = {1, 2}}).dense(2);
  EXPECT_TRUE(unfolded_layers(net.graph()).empty());
}

TEST(UnfoldedLayers, TwoInARowAreRefused) {
  Random rng(3, "rows");
  const Graph graph = GraphBuilder(rng, {1, 4, 4, 2}).conv(3, {}, false).batch_norm().batch_norm().graph();
  expect_error([&] { unfolded_layers(graph); }, ErrorKind::kUnsupported, {"in a row", "batch_norm_2"});
}

}  // namespace
}  // namespace qlimit
