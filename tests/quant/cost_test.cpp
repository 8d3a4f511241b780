#include "quant/cost.h"

#include <gtest/gtest.h>

#include "quant/quantize.h"

namespace qlimit {
namespace {

constexpr Window kThree = {.kernel_h = 3, .kernel_w = 3};

Tensor<float> ones(const Shape& shape) { return Tensor<float>::full(shape, 1.0f); }

QuantizedGraph as_floats(const Graph& graph) {
  return {.graph = graph,
          .params = std::vector<AffineParams>(graph.values.size()),
          .filters = std::vector<QuantizedFilter>(graph.nodes.size())};
}

QuantizedGraph as_int8(const Graph& graph) {
  return quantize(graph, Ranges(graph.values.size(), Range{-1, 1}));
}

// Ten by ten pixels of four channels to eight: 100 * 8 outputs of 3 * 3 * 4 products.
Graph conv_graph() {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 10, 10, 4});
  graph.add(op::Conv2D{kThree},
            {x, graph.add_constant("w", ones({8, 3, 3, 4})), graph.add_constant("b", ones({8}))});
  return graph;
}

TEST(Cost, OfAConvolution) {
  const NodeCost floats = node_cost(as_floats(conv_graph()), 0);
  EXPECT_EQ(floats.multiply_adds, 100 * 8 * 36);
  EXPECT_EQ(floats.parameters, 8 * 36 + 8);
  EXPECT_EQ(floats.constant_bytes, 4 * (8 * 36 + 8));
  EXPECT_EQ(node_cost(as_int8(conv_graph()), 0).multiply_adds, 100 * 8 * 36);
  EXPECT_EQ(node_cost(as_int8(conv_graph()), 0).constant_bytes, 8 * 36 + 4 * 8);
}

TEST(Cost, OfADepthwiseConvolution) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 10, 10, 4});
  graph.add(op::DepthwiseConv2D{kThree}, {x, graph.add_constant("w", ones({1, 3, 3, 8}))});
  EXPECT_EQ(node_cost(as_int8(graph), 0).multiply_adds, 100 * 8 * 9);
  EXPECT_EQ(node_cost(as_int8(graph), 0).constant_bytes, 72);
}

TEST(Cost, OfADenseLayerForSeveralImages) {
  Graph graph;
  const ValueId x = graph.add_input("x", {5, 12});
  graph.add(op::Dense{}, {x, graph.add_constant("w", ones({3, 12})), graph.add_constant("b", ones({3}))});
  EXPECT_EQ(node_cost(as_int8(graph), 0).multiply_adds, 5 * 3 * 12);
  EXPECT_EQ(node_cost(as_int8(graph), 0).constant_bytes, 36 + 12);
}

TEST(Cost, NarrowWeightsArePacked) {
  const Ranges ranges(conv_graph().values.size(), Range{-1, 1});
  const auto bytes = [&](int bits) {
    return node_cost(quantize(conv_graph(), ranges, {.weight_bits = bits}), 0).constant_bytes - 4 * 8;
  };
  EXPECT_EQ(bytes(4), 144);  // of 288 weights
  EXPECT_EQ(bytes(2), 72);
  EXPECT_EQ(bytes(3), 108);  // without gaps: not the 144 of two in a byte
  EXPECT_EQ(bytes(7), 252);
  EXPECT_EQ(packed_bytes(5, 3), 2);
  EXPECT_EQ(packed_bytes(6, 3), 3);
  EXPECT_EQ(packed_bytes(0, 3), 0);
  EXPECT_EQ(packed_bytes(int64_t{1} << 40, 8), int64_t{1} << 40);
}

TEST(Cost, OperationsWithoutWeightsAreFree) {
  Graph graph;
  graph.add_input("x", {1, 10, 10, 4});
  graph.add(op::MaxPool2D{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}}, {graph.input});
  EXPECT_EQ(node_cost(as_int8(graph), 0).multiply_adds, 0);
  EXPECT_EQ(node_cost(as_int8(graph), 0).constant_bytes, 0);
}

TEST(Cost, SharedConstantsCountOnceInTheTotal) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 10, 10, 4});
  const ValueId weight = graph.add_constant("w", ones({4, 3, 3, 4}));
  graph.add(op::Conv2D{kThree}, {x, weight});
  graph.add(op::Conv2D{kThree}, {graph.output, weight});
  const QuantizedGraph q = as_floats(graph);
  EXPECT_EQ(node_cost(q, 1).parameters, 144);
  EXPECT_EQ(total_cost(q).parameters, 144);
  EXPECT_EQ(total_cost(q).constant_bytes, 4 * 144);
  EXPECT_EQ(total_cost(q).multiply_adds, 2 * 100 * 4 * 36);
}

}  // namespace
}  // namespace qlimit
