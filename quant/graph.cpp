#include "quant/graph.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "quant/overloaded.h"

namespace qlimit {

ValueId Graph::add_input(std::string name, const Shape& shape) {
  values.push_back({std::move(name), shape});
  input = output = static_cast<ValueId>(values.size()) - 1;
  return input;
}

ValueId Graph::add_constant(std::string name, Tensor<float> data) {
  const Shape shape = data.shape();
  values.push_back({std::move(name), shape, std::move(data)});
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add(Op op, std::vector<ValueId> inputs) {
  std::vector<Shape> shapes;
  for (ValueId id : inputs) shapes.push_back(value(id).shape);
  const std::string kind = op_name(op);
  const auto same_kind = [&](const Node& node) { return op_name(node.op) == kind; };
  const auto number = 1 + std::count_if(nodes.begin(), nodes.end(), same_kind);
  values.push_back({concat(kind, "_", number), output_shape(op, shapes)});
  output = static_cast<ValueId>(values.size()) - 1;
  nodes.push_back({std::move(op), std::move(inputs), output});
  return output;
}

int Graph::producer(ValueId id) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].output == id) return static_cast<int>(i);
  }
  return -1;
}

int Graph::uses(ValueId id) const {
  auto count = id == output ? 1 : 0;
  for (const Node& node : nodes) {
    count += static_cast<int>(std::count(node.inputs.begin(), node.inputs.end(), id));
  }
  return count;
}

bool is_pooled_by_next(const Graph& graph, const Node& node) {
  const auto next = static_cast<size_t>(graph.producer(node.output)) + 1;
  if (next >= graph.nodes.size() || graph.uses(node.output) != 1) return false;
  const auto* pool = std::get_if<op::MaxPool2D>(&graph.nodes[next].op);
  if (!pool || graph.nodes[next].inputs[0] != node.output) return false;
  const Window& w = pool->window;
  return w.kernel_h == 2 && w.kernel_w == 2 && w.stride_h == 2 && w.stride_w == 2 &&
         pool->activation == Activation::kNone;
}

size_t operand_count(const Node& node) { return takes_constant_operands(node.op) ? node.inputs.size() : 1; }

bool takes_constant_operands(const Op& op) {
  return std::holds_alternative<op::Add>(op) || std::holds_alternative<op::Mul>(op) ||
         std::holds_alternative<op::Concatenation>(op);
}

bool has_weights(const Op& op) {
  return std::holds_alternative<op::Conv2D>(op) || std::holds_alternative<op::DepthwiseConv2D>(op) ||
         std::holds_alternative<op::Dense>(op);
}

int channel_axis(const Op& op) { return std::holds_alternative<op::DepthwiseConv2D>(op) ? 3 : 0; }

const Activation* fused_activation(const Op& op) {
  return std::visit(Overloaded{[](const op::Clamp&) -> const Activation* { return nullptr; },
                               [](const auto& o) -> const Activation* {
                                 if constexpr (requires { o.activation; }) return &o.activation;
                                 return nullptr;
                               }},
                    op);
}

Activation* fused_activation(Op& op) { return const_cast<Activation*>(fused_activation(std::as_const(op))); }

Shape with_batch(const Shape& shape, int64_t batch) {
  switch (shape.rank()) {
    case 1:
      return {batch};
    case 2:
      return {batch, shape[1]};
    case 3:
      return {batch, shape[1], shape[2]};
    case 4:
      return {batch, shape[1], shape[2], shape[3]};
    default:
      throw Error(ErrorKind::kUsage, {.what = "a scalar has no batch dimension"});
  }
}

Shape repeated(const Shape& shape, int64_t runs) { return with_batch(shape, runs * shape[0]); }

int64_t element_bytes(DataType type) { return type == DataType::kFloat32 ? 4 : 1; }

std::vector<Shape> input_shapes(const Graph& graph, const Node& node) {
  std::vector<Shape> shapes;
  for (ValueId id : node.inputs) shapes.push_back(graph.value(id).shape);
  return shapes;
}

bool same_values(const Graph& a, const Graph& b) {
  const auto same_ids = [](const Node& x, const Node& y) {
    return x.inputs == y.inputs && x.output == y.output;
  };
  return to_string(a) == to_string(b) && a.values.size() == b.values.size() && a.input == b.input &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same_ids);
}

}  // namespace qlimit
