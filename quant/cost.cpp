#include "quant/cost.h"

#include <set>

namespace qlimit {
namespace {

int64_t multiply_adds(const Graph& graph, const Node& node) {
  if (!has_weights(node.op)) return 0;
  // Each output number is a product sum over the filter of its channel.
  const Shape& weight = graph.value(node.inputs[operand_count(node)]).shape;
  const int64_t filter = weight.size() / weight[channel_axis(node.op)];
  return graph.value(node.output).shape.size() * filter;
}

// Bytes of one constant of a node.
int64_t stored_bytes(const QuantizedGraph& q, size_t node, size_t input) {
  const Node& n = q.graph.nodes[node];
  const Value& value = q.graph.value(n.inputs[input]);
  const size_t operands = operand_count(n);
  const int64_t size = value.shape.size();
  const QuantizedFilter& filter = q.filters[node];
  if (input >= operands && !filter.weight.empty()) {
    return input == operands ? packed_bytes(size, filter.bits) : size * int64_t{sizeof(int32_t)};
  }
  return value.type == DataType::kInt8 ? packed_bytes(size, q.params_of(n.inputs[input]).bits)
                                       : size * element_bytes(value.type);
}

// Adds the node's cost; constants that are in `seen` are left out.
void add_cost(const QuantizedGraph& q, size_t node, std::set<ValueId>& seen, NodeCost& cost) {
  const Node& n = q.graph.nodes[node];
  cost.multiply_adds += multiply_adds(q.graph, n);
  for (size_t i = 0; i < n.inputs.size(); ++i) {
    const Value& value = q.graph.value(n.inputs[i]);
    if (!value.is_constant() || !seen.insert(n.inputs[i]).second) continue;
    cost.parameters += value.shape.size();
    cost.constant_bytes += stored_bytes(q, node, i);
  }
}

}  // namespace

NodeCost node_cost(const QuantizedGraph& q, size_t node) {
  NodeCost cost;
  std::set<ValueId> seen;
  add_cost(q, node, seen, cost);
  return cost;
}

NodeCost total_cost(const QuantizedGraph& q) {
  NodeCost cost;
  std::set<ValueId> seen;
  for (size_t node = 0; node < q.graph.nodes.size(); ++node) add_cost(q, node, seen, cost);
  return cost;
}

}  // namespace qlimit
