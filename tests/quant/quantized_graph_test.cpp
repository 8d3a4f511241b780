// What is refused: graphs that quantize cannot make integers of, and integers that do not go together.
#include <gtest/gtest.h>

#include <cmath>

#include "quant/calibrate.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// Folded, calibrated and quantized on random images.
QuantizedGraph quantized(Graph graph, Random& rng) {
  run_passes(graph);
  const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 4), rng);
  return quantize(graph, calibrate(FloatExecutor(graph), images));
}

TEST(QuantizedGraph, IntegersThatDoNotFitTheirLayerAreRefused) {
  Random rng(13, "misfits");
  const QuantizedGraph fits = quantized(GraphBuilder(rng, {1, 6}).dense(2).graph(), rng);
  const auto expect_refused = [&](const auto& spoil, const std::string& word) {
    QuantizedGraph q = fits;
    spoil(q);
    expect_error([&] { QuantizedModel{q}; }, ErrorKind::kUsage, {word});
  };
  expect_refused([](QuantizedGraph& q) { q.filters[0].weight = Tensor<int8_t>({2000, 6}); }, "[2000,6]");
  expect_refused([](QuantizedGraph& q) { q.filters[0] = {}; }, "0 biases");
  expect_refused([](QuantizedGraph& q) { q.filters[0].bias.pop_back(); }, "1 biases");
  expect_refused([](QuantizedGraph& q) { q.filters[0].scales.resize(3); }, "3 scales");
  for (const float scale : {0.0f, -1.0f, std::nanf(""), HUGE_VALF})
    expect_refused([scale](QuantizedGraph& q) { q.params[0].scale = scale; }, "scale");
}

// A pool copies bytes: on another grid they would be other numbers.
TEST(QuantizedGraph, APoolOrReshapeOnAnotherGridIsRefused) {
  Random rng(15, "grids");
  const Graph graph = GraphBuilder(rng, {1, 4, 4, 2}).apply(op::MaxPool2D{kHalve}).flatten().dense(2).graph();
  const QuantizedGraph fits = quantized(graph, rng);
  for (const size_t node : {0, 1}) {
    const auto result = static_cast<size_t>(fits.graph.nodes[node].output);
    QuantizedGraph other_scale = fits, other_zero_point = fits;
    other_scale.params[result].scale *= 2;
    expect_error([&] { QuantizedModel{other_scale}; }, ErrorKind::kUsage, {"grid", "zero point"});
    other_zero_point.params[result].zero_point += fits.params[result].zero_point < 0 ? 1 : -1;
    expect_error([&] { QuantizedModel{other_zero_point}; }, ErrorKind::kUsage, {"grid", "zero point"});
  }
}

TEST(QuantizedGraph, WhatHasNoIntegerFormIsNamed) {
  Random rng(11, "refusals");
  Graph graph = GraphBuilder(rng, {1, 6}).apply(op::Clamp{}).batch_norm().dense(2).graph();
  run_passes(graph);
  expect_error([&] { quantize(graph, Ranges(graph.values.size())); }, ErrorKind::kUnsupported,
               {"batch_norm_1", "run_passes", "dense"});
  Graph joined;
  const ValueId x = joined.add_input("x", {1, 3});
  joined.add(op::Concatenation{.axis = 1}, {x, x});
  expect_error([&] { quantize(joined, Ranges(joined.values.size())); }, ErrorKind::kUnsupported,
               {"concatenation", "one scale"});
}

// The numbers of a constant that is added stand on a grid of activations; those of a bias do not.
TEST(QuantizedGraph, ABiasThatIsAddedElsewhereKeepsItsNumbers) {
  const auto bias = [](bool shared) {
    const Tensor<float> numbers({4}, {0.1f, -0.35f, 0.8f, 0.45f});
    Graph graph;
    const ValueId x = graph.add_input("x", {1, 4}), added = graph.add_constant("added", numbers);
    const ValueId weight = graph.add_constant("weight", Tensor<float>::full({4, 4}, 0.5f));
    const ValueId own = shared ? added : graph.add_constant("bias", numbers);
    graph.add(op::Dense{}, {graph.add(op::Add{}, {x, added}), weight, own});
    return quantize(graph, Ranges(graph.values.size(), {-2, 2}), {.activation_bits = 2}).filters[1].bias;
  };
  EXPECT_EQ(bias(true), bias(false));
}

TEST(QuantizedGraph, WrongArgumentsAreRefused) {
  Random rng(12, "refusals");
  const QuantizedGraph q = quantized(GraphBuilder(rng, {1, 6}).dense(2).graph(), rng);
  const QuantizedModel model(q);
  expect_error([&] { quantize(q.graph, Ranges(2)); }, ErrorKind::kUsage, {"ranges"});
  expect_error([&] { model.run(Tensor<float>({3, 5})); }, ErrorKind::kUsage, {"[1,6]", "[3,5]"});
  expect_error([&] { model.run(Tensor<float>::full({1, 6}, std::nanf(""))); }, ErrorKind::kNumeric, {});
  const Graph other = GraphBuilder(rng, {1, 6}).dense(4).dense(2).graph();
  Workspace foreign(64, 1);
  float y[2];
  expect_error([&] { FloatExecutor(other).run(y, 1, y, foreign); }, ErrorKind::kUsage, {"workspace"});
}

}  // namespace
}  // namespace qlimit
