#include "quant/training/tape_operations.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/recording.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// Node by node, on what the float executor computed before it.
TEST(TapeOperations, ComputeWhatTheFloatExecutorComputes) {
  const Random seed(1, "tape");
  for (uint64_t trial = 0; trial < 60; ++trial) {
    Random rng = seed.split(trial);
    Graph graph = random_graph(rng);
    run_passes(graph);
    require_trainable(graph);
    const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 3), rng);
    const auto all = record_activations<float>(FloatExecutor(graph), images);
    for (const Node& node : graph.nodes) {
      std::vector<Variable> operands;
      for (size_t k = 0; k < operand_count(node); ++k)
        operands.push_back(Variable::constant(all[static_cast<size_t>(node.inputs[k])]));
      FakeFilter filter;
      if (has_weights(node.op)) filter.weight = Variable::constant(graph.value(node.inputs[1]).constant);
      if (has_weights(node.op) && node.inputs.size() > 2)
        filter.bias = Variable::constant(graph.value(node.inputs[2]).constant);
      const Variable y = activate(compute_on_tape(node, operands, filter), activation_of(node.op));
      const Tensor<float>& expected = all[static_cast<size_t>(node.output)];
      ASSERT_EQ(y.value().size(), expected.size());
      for (int64_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(y.value()[i], expected[i], 1e-4 * (1 + std::abs(expected[i])))
            << graph.value(node.output).name << "\n"
            << to_string(graph);
    }
  }
}

TEST(TapeOperations, PointwiseFunctionsAreDifferentiated) {
  const Node node = {.op = op::Pointwise{"sigmoid", logistic}, .inputs = {0}};
  const Variable x = Variable::parameter(Tensor<float>({1, 4}, {-3.0f, 0.0f, 0.5f, 2.0f}));
  backward(compute_on_tape(node, {x}, {}), Tensor<float>({1, 4}, {1, 1, 2, 1}));
  for (int64_t i = 0; i < 4; ++i) {
    const double slope = logistic(x.value()[i]) * logistic(-x.value()[i]);
    EXPECT_NEAR(x.grad()[i], (i == 2 ? 2 : 1) * slope, 1e-6);
  }
}

TEST(TapeOperations, WhatCannotBeTrainedIsNamed) {
  Random rng(2, "refusals");
  const auto refused = [](const Graph& graph, const std::vector<std::string>& parts) {
    expect_error([&] { require_trainable(graph); }, ErrorKind::kUnsupported, parts);
  };
  refused(GraphBuilder(rng, {1, 6}).apply(op::Clamp{}).batch_norm().dense(2).graph(), {"batch_norm_1"});
  refused(GraphBuilder(rng, {1, 4, 4, 2}).apply(op::Mean{.axes = {1}}).graph(), {"mean_1"});
  refused(GraphBuilder(rng, {1, 6}).apply(op::Clamp{Activation::kReluN1To1}).graph(), {"relu_n1_to_1"});
  refused(GraphBuilder(rng, {1, 6}).apply(op::Softmax{.beta = 2}).graph(), {"softmax_1"});
  refused(GraphBuilder(rng, {2, 6}).dense(2).graph(), {"one image", "[2,6]"});
  Graph sum;
  const ValueId x = sum.add_input("x", {1, 3});
  sum.add(op::Add{}, {x, sum.add_constant("c", Tensor<float>({1, 3}))});
  refused(sum, {"add_1", "tape_operations.cpp"});
}

}  // namespace
}  // namespace qlimit
