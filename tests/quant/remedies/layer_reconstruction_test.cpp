#include "quant/remedies/layer_reconstruction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "quant/remedies/layer_constants.h"
#include "tests/quant/integer_definition.h"
#include "tests/quant/remedies/remedy_case.h"

namespace qlimit {
namespace {

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6,
                                       Activation::kReluN1To1};

TEST(SquaredError, HasTheValueAndTheSlopeOfItsFormula) {
  const std::vector<double> y = {-3, -0.4, 0.2, 0.7, 3.1, 5.5, 7, 12}, target = {0, 1, 0.1, -0.5, 3, 6, 5, 6};
  constexpr double kStep = 1e-6, kFactor = 3;
  for (const Activation activation : kActivations) {
    const auto formula = [&](const std::vector<double>& at) {
      double sum = 0;
      for (size_t i = 0; i < at.size(); ++i) sum += std::pow(clamped(at[i], activation) - target[i], 2);
      return kFactor * sum / static_cast<double>(at.size());
    };
    const Variable x = Variable::parameter(Tensor<Real>({2, 4}, std::vector<Real>(y.begin(), y.end())));
    const Variable loss = squared_error(
        x, activation, Tensor<Real>({2, 4}, std::vector<Real>(target.begin(), target.end())), kFactor);
    EXPECT_NEAR(loss.value()[0], formula(y), 1e-5 * formula(y));
    backward(loss);
    for (size_t i = 0; i < y.size(); ++i) {
      std::vector<double> more = y, less = y;
      more[i] += kStep;
      less[i] -= kStep;
      EXPECT_NEAR(x.grad()[static_cast<int64_t>(i)], (formula(more) - formula(less)) / (2 * kStep), 1e-5);
    }
  }
}

/// One layer of each kind behind images of 7x6x4.
std::vector<Graph> layers(Random& rng, Activation activation) {
  const Window window = {.kernel_h = 3, .kernel_w = 2, .stride_w = 2};
  std::vector<Graph> all;
  all.push_back(GraphBuilder(rng, {1, 7, 6, 4}).conv(5, window, true, activation).graph());
  all.push_back(GraphBuilder(rng, {1, 7, 6, 4}).depthwise(2, window, true, activation).graph());
  all.push_back(GraphBuilder(rng, {1, 7, 6, 4}).flatten().dense(3, true, activation).graph());
  Graph grouped;
  const ValueId x = grouped.add_input("x", {1, 7, 6, 4});
  const ValueId weight = grouped.add_constant("w", random_tensor({6, 3, 2, 2}, rng));  // two groups
  grouped.add(op::Conv2D{window, activation}, {x, weight});
  all.push_back(grouped);
  return all;
}

size_t layer_of(const Graph& graph) { return graph.nodes.size() - 1; }

/// The layer with other weights, in floats.
Graph with_weights(Graph graph, const Tensor<float>& weight, const Tensor<float>& bias) {
  Node& node = graph.nodes[layer_of(graph)];
  graph.value(node.inputs[1]).constant = weight;
  if (node.inputs.size() > 2) graph.value(node.inputs[2]).constant = bias;
  return graph;
}

Tensor<float> as_tensor(const Shape& shape, const std::vector<double>& numbers) {
  return Tensor<float>(shape, std::vector<float>(numbers.begin(), numbers.end()));
}

TEST(LayerReconstruction, CountsTheErrorOfTheIntegersAgainstTheFloats) {
  Random rng(1, "errors");
  for (const Activation activation : kActivations) {
    for (const Graph& graph : layers(rng, activation)) {
      const Tensor<float> images = random_images(graph, 37, rng);  // no whole number of batches
      const QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 3});
      const size_t i = layer_of(graph);
      const QuantizedFilter& filter = q.filters[i];
      const AffineParams& grid = q.params_of(graph.input);
      Tensor<float> arriving = images.clone();
      for (float& x : arriving) x = dequantize(quantize(x, grid), grid);
      std::vector<double> bias;
      for (size_t c = 0; c < filter.bias.size(); ++c)
        bias.push_back(double{grid.scale} * filter.scales[filter.scales.size() == 1 ? 0 : c] *
                       filter.bias[c]);
      const Graph integers = with_weights(
          graph,
          as_tensor(filter.weight.shape(), dequantized_weight(filter, channel_axis(graph.nodes[i].op))),
          as_tensor({static_cast<int64_t>(bias.size())}, bias));
      const Tensor<float> exact = FloatExecutor(graph).run(images),
                          found = FloatExecutor(integers).run(arriving);
      double sum = 0;
      for (int64_t k = 0; k < exact.size(); ++k) sum += std::pow(double{found[k]} - double{exact[k]}, 2);
      const double expected = sum / static_cast<double>(exact.size());

      const LayerReconstruction layer(q, i, graph, images);
      EXPECT_EQ(layer.runs(), 37);
      EXPECT_NEAR(layer.error(filter.weight), expected, 1e-4 * expected) << to_string(graph);
    }
  }
}

TEST(LayerReconstruction, GradientsReachTheWeightsOfEveryKindOfLayer) {
  Random rng(2, "gradients");
  for (const Graph& graph : layers(rng, Activation::kNone)) {
    const Tensor<float> images = random_images(graph, 4, rng);
    const size_t i = layer_of(graph);
    const LayerReconstruction layer(quantized_on(graph, images), i, graph, images);
    const std::vector<int64_t> some = {2, 0, 2};
    const Tensor<float> at = random_tensor(graph.value(graph.nodes[i].inputs[1]).shape, rng);
    const Variable weight = Variable::parameter(at.clone());
    backward(layer.error(weight, some, 1));
    const auto error_at = [&](int64_t k, float move) {
      Tensor<float> moved = at.clone();
      moved[k] += move;
      return double{layer.error(Variable::constant(moved), some, 1).value()[0]};
    };
    constexpr float kStep = 0.5f;  // the error is a parabola: no step is too large
    for (int64_t k = 0; k < at.size(); k += 5) {
      const double slope = (error_at(k, kStep) - error_at(k, -kStep)) / (2 * double{kStep});
      EXPECT_NEAR(weight.grad()[k], slope, 1e-4 * (1 + std::abs(slope))) << to_string(graph);
    }
  }
}

TEST(LayerReconstruction, GraphsWrittenForSeveralImages) {
  Random rng(3, "several");
  const Graph graph = GraphBuilder(rng, {2, 5, 5, 3}).conv(4, {.kernel_h = 3, .kernel_w = 3}, true).graph();
  const Tensor<float> images = random_images(graph, 6, rng);
  const QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 4});
  const LayerReconstruction layer(q, 0, graph, images);
  EXPECT_EQ(layer.runs(), 3);
  std::vector<int64_t> all(3);
  std::iota(all.begin(), all.end(), int64_t{0});
  const Variable weight =
      Variable::constant(as_tensor(q.filters[0].weight.shape(), dequantized_weight(q.filters[0], 0)));
  const double whole = layer.error(q.filters[0].weight);
  EXPECT_NEAR(layer.error(weight, all, 2).value()[0], 2 * whole, 1e-5 * whole);
}

}  // namespace
}  // namespace qlimit
