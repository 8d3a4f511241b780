// Models that are made in a moment, and need no file.
#pragma once

#include "quant/quantize.h"
#include "quant/quantized_model.h"

namespace qlimit {

/// A graph that is a function one can compute in the head: a dense layer [4,I] whose row k picks input k, so
/// that output k is x_k, after a ReLU.
inline Graph picking_graph(int64_t inputs, int64_t per_run = 1) {
  Graph graph;
  const ValueId x = graph.add_input("x", {per_run, inputs});
  Tensor<float> weight({4, inputs});
  for (int64_t k = 0; k < 4; ++k) weight(k, k) = 1;
  const ValueId clamped = graph.add(op::Clamp{Activation::kRelu}, {x});
  graph.add(op::Dense{}, {clamped, graph.add_constant("weight", std::move(weight))});
  return graph;
}

/// The graph with floats throughout.
inline QuantizedModel float_model(const Graph& graph) {
  return QuantizedModel({.graph = graph,
                         .params = std::vector<AffineParams>(graph.values.size()),
                         .filters = std::vector<QuantizedFilter>(graph.nodes.size())});
}

/// The graph with int8 throughout, each value on the grid of -1 ... 1.
inline QuantizedModel int8_model(const Graph& graph) {
  return QuantizedModel(quantize(graph, Ranges(graph.values.size(), Range{-1, 1})));
}

}  // namespace qlimit
