#include "quant/graph.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

void check_finite(const Value& value) {
  const float* bad = std::find_if_not(value.constant.begin(), value.constant.end(),
                                      [](float x) { return std::isfinite(x); });
  if (bad != value.constant.end()) {
    throw Error(ErrorKind::kNumeric, {.what = "a weight is not finite",
                                      .where = value.name,
                                      .found = concat(*bad, " at ", bad - value.constant.begin())});
  }
}

std::string window_text(const Window& w) {
  std::string text =
      concat(" ", w.kernel_h, "x", w.kernel_w, w.padding == Padding::kSame ? " same" : " valid");
  if (w.stride_h != 1 || w.stride_w != 1) text += concat(" stride ", w.stride_h, "x", w.stride_w);
  if (w.dilation_h != 1 || w.dilation_w != 1) text += concat(" dilation ", w.dilation_h, "x", w.dilation_w);
  return text;
}

std::string attributes(const Op& op) {
  return std::visit(Overloaded{[](const op::BatchNorm& o) { return concat(" epsilon ", o.epsilon); },
                               [](const op::Mean& o) {
                                 std::string text = o.axes.size() == 1 ? " axis" : " axes";
                                 for (int axis : o.axes) text += concat(" ", axis);
                                 return text + (o.keep_dims ? " kept" : "");
                               },
                               [](const op::Pad& o) {
                                 std::string text = " by";
                                 for (size_t i = 0; i < o.before.size(); ++i)
                                   text += concat(" ", o.before[i], ":", o.after[i]);
                                 return text;
                               },
                               [](const op::Concatenation& o) { return concat(" axis ", o.axis); },
                               [](const op::Softmax& o) {
                                 return o.beta == 1.0f ? std::string() : concat(" beta ", o.beta);
                               },
                               [](const auto& o) {
                                 if constexpr (requires { o.window; }) return window_text(o.window);
                                 return std::string();
                               }},
                    op);
}

}  // namespace

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "";
    case Activation::kRelu:
      return "relu";
    case Activation::kRelu6:
      return "relu6";
    case Activation::kReluN1To1:
      return "relu_n1_to_1";
  }
  return "";
}

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

std::string op_name(const Op& op) {
  return std::visit(
      Overloaded{[](const op::Conv2D&) -> std::string { return "conv2d"; },
                 [](const op::DepthwiseConv2D&) -> std::string { return "depthwise_conv2d"; },
                 [](const op::Dense&) -> std::string { return "dense"; },
                 [](const op::BatchNorm&) -> std::string { return "batch_norm"; },
                 [](const op::MaxPool2D&) -> std::string { return "max_pool2d"; },
                 [](const op::AveragePool2D&) -> std::string { return "average_pool2d"; },
                 [](const op::Mean&) -> std::string { return "mean"; },
                 [](const op::Add&) -> std::string { return "add"; },
                 [](const op::Mul&) -> std::string { return "mul"; },
                 [](const op::Pad&) -> std::string { return "pad"; },
                 [](const op::Concatenation&) -> std::string { return "concatenation"; },
                 [](const op::Clamp& o) -> std::string { return activation_name(o.activation); },
                 [](const op::Logistic&) -> std::string { return "logistic"; },
                 [](const op::Tanh&) -> std::string { return "tanh"; },
                 [](const op::Pointwise& o) -> std::string { return o.name; },
                 [](const op::Softmax&) -> std::string { return "softmax"; },
                 [](const op::Reshape&) -> std::string { return "reshape"; },
                 [](const op::Quantize&) -> std::string { return "quantize"; },
                 [](const op::Dequantize&) -> std::string { return "dequantize"; }},
      op);
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

void validate(const Graph& graph) {
  const auto fail = [](const std::string& what, const std::string& where) {
    throw Error(ErrorKind::kUsage, {.what = what, .where = where});
  };
  const auto in_range = [&](ValueId id) { return id >= 0 && id < static_cast<ValueId>(graph.values.size()); };
  if (!in_range(graph.input) || !in_range(graph.output))
    fail("a graph needs an input and an output", "graph");

  for (const Value& value : graph.values) {
    if (value.is_constant()) {
      check_finite(value);
      if (value.constant.shape() != value.shape)
        fail("a constant has another shape than its value", value.name);
    } else if (value.shape.rank() < 1 || value.shape.size() == 0) {
      fail(concat("an activation has elements, unlike ", value.shape.to_string()), value.name);
    }
  }

  std::vector<bool> known(graph.values.size(), false);
  known[static_cast<size_t>(graph.input)] = true;
  for (const Node& node : graph.nodes) {
    const std::string name = in_range(node.output) ? graph.value(node.output).name : op_name(node.op);
    std::vector<Shape> shapes;
    bool reads_activation = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (!in_range(id)) fail("an input does not exist", name);
      const Value& value = graph.value(id);
      const bool is_weight = i >= operand_count(node);
      if (is_weight && !value.is_constant()) {
        fail(concat("input ", i, " (", value.name,
                    ") must be a constant: weights that are computed have no compiled form"),
             name);
      }
      if (!is_weight && value.is_constant() && !takes_constant_operands(node.op)) {
        fail(concat("input ", i, " (", value.name, ") must be an activation, not a constant"), name);
      }
      if (!value.is_constant() && !known[static_cast<size_t>(id)]) {
        fail(concat(value.name, " is read before it is computed"), name);
      }
      reads_activation = reads_activation || !value.is_constant();
      shapes.push_back(value.shape);
    }
    if (!reads_activation) fail("a node must read an activation", name);
    if (!in_range(node.output) || known[static_cast<size_t>(node.output)] ||
        graph.value(node.output).is_constant()) {
      fail("a node must compute a value of its own", name);
    }
    if (output_shape(node.op, shapes) != graph.value(node.output).shape) fail("wrong output shape", name);
    known[static_cast<size_t>(node.output)] = true;
  }
  if (!known[static_cast<size_t>(graph.output)]) fail("the output is never computed", "graph");
}

namespace {

/// The nodes that the output needs, each after its inputs. Depth first without recursion: a node is entered,
/// waits for its inputs, and is left.
std::vector<size_t> needed_in_order(const Graph& graph) {
  std::vector<int> producer(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    producer[static_cast<size_t>(graph.nodes[i].output)] = static_cast<int>(i);
  }
  enum class State { kNew, kWaiting, kDone };
  std::vector<State> state(graph.nodes.size(), State::kNew);
  std::vector<size_t> order;
  std::vector<int> stack{producer[static_cast<size_t>(graph.output)]};
  while (!stack.empty()) {
    if (stack.back() < 0) {
      stack.pop_back();
      continue;
    }
    const auto at = static_cast<size_t>(stack.back());
    if (state[at] != State::kNew) {
      if (state[at] == State::kWaiting) order.push_back(at);
      state[at] = State::kDone;
      stack.pop_back();
      continue;
    }
    state[at] = State::kWaiting;
    const std::vector<ValueId>& inputs = graph.nodes[at].inputs;
    for (auto id = inputs.rbegin(); id != inputs.rend(); ++id) {
      const int before = producer[static_cast<size_t>(*id)];
      if (before < 0) continue;
      if (state[static_cast<size_t>(before)] == State::kWaiting) {
        throw Error(ErrorKind::kUsage,
                    {.what = "the graph has a cycle", .where = graph.value(graph.nodes[at].output).name});
      }
      if (state[static_cast<size_t>(before)] == State::kNew) stack.push_back(before);
    }
  }
  return order;
}

}  // namespace

void tidy(Graph& graph) {
  std::vector<Node> nodes;
  for (size_t i : needed_in_order(graph)) nodes.push_back(std::move(graph.nodes[i]));

  std::vector<bool> needed(graph.values.size(), false);
  needed[static_cast<size_t>(graph.input)] = needed[static_cast<size_t>(graph.output)] = true;
  for (const Node& node : nodes) {
    needed[static_cast<size_t>(node.output)] = true;
    for (ValueId id : node.inputs) needed[static_cast<size_t>(id)] = true;
  }
  std::vector<ValueId> renumbered(graph.values.size(), -1);
  std::vector<Value> values;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) continue;
    renumbered[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  const auto renumber = [&](ValueId& id) { id = renumbered[static_cast<size_t>(id)]; };
  for (Node& node : nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), renumber);
    renumber(node.output);
  }
  renumber(graph.input);
  renumber(graph.output);
  graph.nodes = std::move(nodes);
  graph.values = std::move(values);
}

bool same_values(const Graph& a, const Graph& b) {
  const auto same_ids = [](const Node& x, const Node& y) {
    return x.inputs == y.inputs && x.output == y.output;
  };
  return to_string(a) == to_string(b) && a.values.size() == b.values.size() && a.input == b.input &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same_ids);
}

std::string to_string(const Graph& graph) {
  const Value& input = graph.value(graph.input);
  std::string text = concat(input.name, " ", input.shape.to_string(), "\n");
  for (const Node& node : graph.nodes) {
    text += concat(graph.value(node.output).name, " = ", op_name(node.op), "(");
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value& value = graph.value(node.inputs[i]);
      text += concat(i == 0 ? "" : ", ", value.name);
      if (value.is_constant()) text += concat(" ", value.shape.to_string());
    }
    text += concat(")", attributes(node.op));
    const Activation* activation = fused_activation(node.op);
    if (activation && *activation != Activation::kNone) text += concat(" ", activation_name(*activation));
    text += concat(" -> ", graph.value(node.output).shape.to_string(), "\n");
  }
  return text;
}

}  // namespace qlimit
