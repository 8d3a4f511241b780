#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "quant/graph.h"

namespace qlimit {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& where) {
  throw Error(ErrorKind::kUsage, {.what = what, .where = where});
}

bool exists(const Graph& graph, ValueId id) {
  return id >= 0 && id < static_cast<ValueId>(graph.values.size());
}

void check_finite(const Value& value) {
  const float* bad = std::find_if_not(value.constant.begin(), value.constant.end(),
                                      [](float x) { return std::isfinite(x); });
  if (bad != value.constant.end()) {
    throw Error(ErrorKind::kNumeric, {.what = "a weight is not finite",
                                      .where = value.name,
                                      .found = concat(*bad, " at ", bad - value.constant.begin())});
  }
}

void check_value(const Value& value) {
  if (value.is_constant()) {
    check_finite(value);
    if (value.constant.shape() != value.shape)
      fail("a constant has another shape than its value", value.name);
  } else if (value.shape.rank() < 1 || value.shape.size() == 0) {
    fail(concat("an activation has elements, unlike ", value.shape.to_string()), value.name);
  }
}

// Follows the nodes in their order and remembers which activations have been computed.
class Walk {
 public:
  explicit Walk(const Graph& graph) : graph_(graph), known_(graph.values.size(), false) {
    known_[static_cast<size_t>(graph.input)] = true;
  }

  bool knows(ValueId id) const { return known_[static_cast<size_t>(id)]; }

  void check(const Node& node) {
    const std::string name = exists(graph_, node.output) ? graph_.value(node.output).name : op_name(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) check_input(node, i, name);
    const auto is_activation = [&](ValueId id) { return !graph_.value(id).is_constant(); };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), is_activation))
      fail("a node must read an activation", name);
    if (!exists(graph_, node.output) || knows(node.output) || !is_activation(node.output))
      fail("a node must compute a value of its own", name);
    if (output_shape(node.op, input_shapes(graph_, node)) != graph_.value(node.output).shape)
      fail("wrong output shape", name);
    known_[static_cast<size_t>(node.output)] = true;
  }

 private:
  void check_input(const Node& node, size_t i, const std::string& name) const {
    if (!exists(graph_, node.inputs[i])) fail("an input does not exist", name);
    const Value& value = graph_.value(node.inputs[i]);
    const bool is_weight = i >= operand_count(node);
    if (is_weight && !value.is_constant()) {
      fail(concat("input ", i, " (", value.name,
                  ") must be a constant: weights that are computed have no compiled form"),
           name);
    }
    if (!is_weight && value.is_constant() && !takes_constant_operands(node.op))
      fail(concat("input ", i, " (", value.name, ") must be an activation, not a constant"), name);
    if (!value.is_constant() && !knows(node.inputs[i]))
      fail(concat(value.name, " is read before it is computed"), name);
  }

  const Graph& graph_;
  std::vector<bool> known_;  // by ValueId
};

}  // namespace

void validate(const Graph& graph) {
  if (!exists(graph, graph.input) || !exists(graph, graph.output))
    fail("a graph needs an input and an output", "graph");
  for (const Value& value : graph.values) check_value(value);
  Walk walk(graph);
  for (const Node& node : graph.nodes) walk.check(node);
  if (!walk.knows(graph.output)) fail("the output is never computed", "graph");
}

}  // namespace qlimit
