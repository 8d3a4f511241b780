#include "quant/graph.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kThree = {.kernel_h = 3, .kernel_w = 3};

/// x -> conv -> relu -> mean
Graph small_graph() {
  Graph graph;
  const ValueId x = graph.add_input("images", {1, 8, 8, 3});
  const ValueId weight = graph.add_constant("w", Tensor<float>({4, 3, 3, 3}));
  const ValueId bias = graph.add_constant("b", Tensor<float>({4}));
  const ValueId conv = graph.add(op::Conv2D{.window = kThree}, {x, weight, bias});
  graph.add(op::Mean{.axes = {1, 2}}, {graph.add(op::Clamp{}, {conv})});
  return graph;
}

TEST(Graph, PrintsOneLineForEachNode) {
  EXPECT_EQ(to_string(small_graph()),
            "images [1,8,8,3]\n"
            "conv2d_1 = conv2d(images, w [4,3,3,3], b [4]) 3x3 same -> [1,8,8,4]\n"
            "relu_1 = relu(conv2d_1) -> [1,8,8,4]\n"
            "mean_1 = mean(relu_1) axes 1 2 -> [1,4]\n");
}

TEST(Graph, KnowsTheShapeOfEveryOperation) {
  const Window down = {
      .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = Padding::kValid};
  EXPECT_EQ(output_shape(op::Conv2D{.window = down}, {{2, 9, 8, 3}, {7, 3, 2, 3}, {7}}), Shape({2, 4, 4, 7}));
  EXPECT_EQ(output_shape(op::DepthwiseConv2D{.window = kThree}, {{1, 5, 5, 3}, {1, 3, 3, 6}}),
            Shape({1, 5, 5, 6}));
  EXPECT_EQ(output_shape(op::Dense{}, {{1, 6}, {4, 6}, {4}}), Shape({1, 4}));
  EXPECT_EQ(output_shape(op::MaxPool2D{.window = down}, {{1, 9, 8, 3}}), Shape({1, 4, 4, 3}));
  EXPECT_EQ(output_shape(op::Conv2D{.window = kThree}, {{1, 5, 5, 6}, {4, 3, 3, 3}}), Shape({1, 5, 5, 4}));
  EXPECT_EQ(output_shape(op::Dense{}, {{2, 3, 6}, {4, 9}}), Shape({4, 4}));
  EXPECT_EQ(output_shape(op::Mean{.axes = {1, 2}}, {{3, 9, 8, 5}}), Shape({3, 5}));
  EXPECT_EQ(output_shape(op::Mean{.axes = {0, 3}, .keep_dims = true}, {{3, 9, 8, 5}}), Shape({1, 9, 8, 1}));
  EXPECT_EQ(output_shape(op::Mean{.axes = {0, 1}}, {{3, 5}}), Shape({1}));
  EXPECT_EQ(output_shape(op::Add{}, {{1, 4}, {1, 4}}), Shape({1, 4}));
  EXPECT_EQ(output_shape(op::Mul{}, {{2, 1, 4}, {5, 2, 3, 1}}), Shape({5, 2, 3, 4}));
  EXPECT_EQ(output_shape(op::Pad{.before = {0, 1, 2}, .after = {0, 3}}, {{1, 4, 4}}), Shape({1, 8, 6}));
  EXPECT_EQ(output_shape(op::Concatenation{.axis = 1}, {{2, 3, 4}, {2, 1, 4}, {2, 5, 4}}), Shape({2, 9, 4}));
  EXPECT_EQ(output_shape(op::Reshape{{1, 12}}, {{1, 2, 2, 3}}), Shape({1, 12}));
}

TEST(Graph, RefusesInputsThatDoNotFit) {
  const auto shape_of = [](const Op& op, const std::vector<Shape>& inputs) {
    return [=] { output_shape(op, inputs); };
  };
  expect_error(shape_of(op::Conv2D{.window = kThree}, {{1, 8, 8, 3}, {4, 3, 3, 2}}), ErrorKind::kUsage,
               {"conv2d"});
  expect_error(shape_of(op::Conv2D{.window = kThree}, {{1, 8, 8, 3}, {4, 3, 3, 3}, {5}}), ErrorKind::kUsage,
               {"[4]"});
  expect_error(shape_of(op::DepthwiseConv2D{.window = kThree}, {{1, 8, 8, 3}, {1, 3, 3, 4}}),
               ErrorKind::kUsage, {"multiple of 3"});
  expect_error(shape_of(op::Conv2D{.window = kThree}, {{1, 8, 8, 6}, {5, 3, 3, 3}}), ErrorKind::kUsage,
               {"groups"});
  expect_error(shape_of(op::Dense{}, {{1, 8, 8, 3}, {4, 100}}), ErrorKind::kUsage, {"multiple of 100"});
  expect_error(shape_of(op::Mean{.axes = {2}}, {{1, 8}}), ErrorKind::kUsage, {"axis"});
  expect_error(shape_of(op::Pad{.before = {0, 0, 1}}, {{1, 8}}), ErrorKind::kUsage, {"padding"});
  expect_error(shape_of(op::Concatenation{.axis = 1}, {{2, 3}, {3, 3}}), ErrorKind::kUsage,
               {"but for axis 1"});
  expect_error(shape_of(op::Add{}, {{1, 8}, {1, 9}}), ErrorKind::kUsage, {"add"});
  expect_error(shape_of(op::Add{}, {{1, 8}}), ErrorKind::kUsage, {"number of inputs"});
  expect_error(shape_of(op::Reshape{{1, 5}}, {{1, 6}}), ErrorKind::kUsage, {"reshape"});
}

// Spoils the graph of above, and expects validate() to say so.
void expect_refused(const std::function<void(Graph&)>& spoil, ErrorKind kind, const std::string& words) {
  Graph graph = small_graph();
  spoil(graph);
  expect_error([&] { validate(graph); }, kind, {words});
}

TEST(Graph, ValidationTakesWhatIsRight) { EXPECT_NO_THROW(validate(small_graph())); }

TEST(Graph, ValidationFindsWrongValues) {
  expect_refused([](Graph& g) { g.input = -1; }, ErrorKind::kUsage, "needs an input and an output");
  expect_refused([](Graph& g) { g.output = 99; }, ErrorKind::kUsage, "needs an input and an output");
  expect_refused([](Graph& g) { g.value(1).constant[5] = std::numeric_limits<float>::quiet_NaN(); },
                 ErrorKind::kNumeric, "not finite: w");
  expect_refused([](Graph& g) { g.value(1).constant[5] = -std::numeric_limits<float>::infinity(); },
                 ErrorKind::kNumeric, "-inf at 5");
  expect_refused([](Graph& g) { g.value(2).shape = {5}; }, ErrorKind::kUsage,
                 "another shape than its value: b");
  expect_refused(
      [](Graph& g) {
        g.value(g.input).shape = {1, 0, 8, 3};
      },
      ErrorKind::kUsage, "unlike [1,0,8,3]");
}

TEST(Graph, ValidationFindsWrongNodes) {
  expect_refused([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }, ErrorKind::kUsage,
                 "conv2d_1 is read before it is computed: relu_1");
  expect_refused([](Graph& g) { g.nodes[1].inputs[0] = 99; }, ErrorKind::kUsage,
                 "an input does not exist: relu_1");
  expect_refused([](Graph& g) { g.nodes[0].inputs[1] = g.input; }, ErrorKind::kUsage, "must be a constant");
  expect_refused([](Graph& g) { g.nodes[1].inputs[0] = 1; }, ErrorKind::kUsage, "must be an activation");
  expect_refused(
      [](Graph& g) {
        g.nodes[1] = {op::Add{}, {1, 1}, g.nodes[1].output};
      },
      ErrorKind::kUsage, "must read an activation: relu_1");
  expect_refused([](Graph& g) { g.nodes.push_back(g.nodes[1]); }, ErrorKind::kUsage, "a value of its own");
  expect_refused([](Graph& g) { g.nodes[1].output = 1; }, ErrorKind::kUsage, "a value of its own");
  expect_refused([](Graph& g) { g.nodes[1].output = 99; }, ErrorKind::kUsage, "a value of its own");
  expect_refused(
      [](Graph& g) {
        g.value(g.output).shape = {1, 5};
      },
      ErrorKind::kUsage, "wrong output shape: mean_1");
  expect_refused([](Graph& g) { g.nodes.pop_back(); }, ErrorKind::kUsage, "the output is never computed");
}

TEST(Graph, TidySortsAndDropsWhatNobodyNeeds) {
  Graph graph = small_graph();
  const std::string before = to_string(graph);
  std::swap(graph.nodes[0], graph.nodes[2]);
  const ValueId output = graph.output;
  graph.add_constant("unused", Tensor<float>({3}));
  graph.add(op::Softmax{}, {output});
  graph.output = output;
  tidy(graph);
  EXPECT_NO_THROW(validate(graph));
  EXPECT_EQ(to_string(graph), before);
  EXPECT_EQ(graph.values.size(), 6u);
}

TEST(Graph, TidyRefusesACycle) {
  Graph graph = small_graph();
  graph.nodes[0].inputs[0] = graph.nodes[1].output;
  expect_error([&] { tidy(graph); }, ErrorKind::kUsage, {"cycle"});
}

}  // namespace
}  // namespace qlimit
