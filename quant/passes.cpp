#include "quant/passes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "quant/channel_view.h"

namespace qlimit {
namespace {

/// y = scale * x + shift, channel by channel: what a batch norm is once its statistics are fixed.
struct ChannelMap {
  std::vector<double> scale;
  std::vector<double> shift;
};

ChannelMap channel_map(const Graph& graph, const Node& node) {
  const double epsilon = std::get<op::BatchNorm>(node.op).epsilon;
  const Tensor<float>& gamma = graph.value(node.inputs[1]).constant;
  const Tensor<float>& beta = graph.value(node.inputs[2]).constant;
  const Tensor<float>& mean = graph.value(node.inputs[3]).constant;
  const Tensor<float>& variance = graph.value(node.inputs[4]).constant;
  ChannelMap map;
  for (int64_t c = 0; c < gamma.size(); ++c) {
    const double spread = static_cast<double>(variance[c]) + epsilon;
    if (!(spread > 0)) {
      throw Error(ErrorKind::kNumeric,
                  {.what = "batch norm divides by the root of a number that is not positive",
                   .where = graph.value(node.output).name,
                   .expected = "variance + epsilon > 0",
                   .found = concat(spread, " in channel ", c)});
    }
    const double scale = gamma[c] / std::sqrt(spread);
    map.scale.push_back(scale);
    map.shift.push_back(beta[c] - scale * mean[c]);
  }
  return map;
}

/// New weights and bias for the producer. New constants, not the old ones rewritten: layers may share
/// weights.
void scale_weights(Graph& graph, Node& producer, const ChannelMap& map) {
  const Value weight = graph.value(producer.inputs[1]);
  const auto channels = static_cast<int64_t>(map.scale.size());
  const ChannelView view(weight.shape, channel_axis(producer.op));
  Tensor<float> new_weight = Tensor<float>::uninitialized(weight.shape);
  for (int64_t i = 0; i < new_weight.size(); ++i) {
    new_weight[i] =
        static_cast<float>(map.scale[static_cast<size_t>(view.channel_of(i))] * weight.constant[i]);
  }

  const bool has_bias = producer.inputs.size() == 3;
  const std::string bias_name =
      has_bias ? graph.value(producer.inputs[2]).name : graph.value(producer.output).name + ".bias";
  Tensor<float> new_bias = Tensor<float>::uninitialized({channels});
  for (int64_t c = 0; c < channels; ++c) {
    const double bias = has_bias ? graph.value(producer.inputs[2]).constant[c] : 0.0;
    new_bias[c] =
        static_cast<float>(map.shift[static_cast<size_t>(c)] + map.scale[static_cast<size_t>(c)] * bias);
  }

  producer.inputs[1] = graph.add_constant(weight.name, std::move(new_weight));
  const ValueId bias = graph.add_constant(bias_name, std::move(new_bias));
  if (has_bias) producer.inputs[2] = bias;
  if (!has_bias) producer.inputs.push_back(bias);
}

Tensor<float> to_tensor(const std::vector<double>& numbers, const Shape& shape) {
  return Tensor<float>(shape, std::vector<float>(numbers.begin(), numbers.end()));
}

void turn_into_depthwise(Graph& graph, size_t at, const ChannelMap& map) {
  const auto channels = static_cast<int64_t>(map.scale.size());
  const std::string name = graph.value(graph.nodes[at].output).name;
  const ValueId weight = graph.add_constant(name + ".weight", to_tensor(map.scale, {1, 1, 1, channels}));
  const ValueId bias = graph.add_constant(name + ".bias", to_tensor(map.shift, {channels}));
  Node& node = graph.nodes[at];
  node.op = op::DepthwiseConv2D{.window = {}};
  node.inputs = {node.inputs[0], weight, bias};
}

/// The node that computes `id` if nobody else reads it; null otherwise.
Node* sole_producer(Graph& graph, ValueId id) {
  const int at = graph.producer(id);
  return at >= 0 && graph.uses(id) == 1 ? &graph.nodes[static_cast<size_t>(at)] : nullptr;
}

/// The producer computes the node's value itself; the node is left for the caller to erase.
void absorb(Graph& graph, Node& producer, const Node& node) {
  graph.value(node.output).name = graph.value(producer.output).name;
  producer.output = node.output;
}

/// All readers of the node's output read its input instead.
void bypass(Graph& graph, const Node& node) {
  const ValueId from = node.output;
  const ValueId to = node.inputs[0];
  for (Node& reader : graph.nodes) std::replace(reader.inputs.begin(), reader.inputs.end(), from, to);
  if (graph.output == from) graph.output = to;
}

/// What `second(first(x))` is as one activation, if it is one.
std::optional<Activation> joined(Activation first, Activation second) {
  if (first == Activation::kNone || first == second) return second;
  const auto is_relu = [](Activation a) { return a == Activation::kRelu || a == Activation::kRelu6; };
  if (is_relu(first) && is_relu(second)) return Activation::kRelu6;
  return std::nullopt;
}

bool changes_nothing(const Graph& graph, const Node& node) {
  if (std::holds_alternative<op::Reshape>(node.op)) {
    return graph.value(node.inputs[0]).shape == graph.value(node.output).shape;
  }
  const auto is_one = [](const auto* pool) {
    return pool && pool->window.kernel_h == 1 && pool->window.kernel_w == 1 && pool->window.stride_h == 1 &&
           pool->window.stride_w == 1 && pool->activation == Activation::kNone;
  };
  return is_one(std::get_if<op::MaxPool2D>(&node.op)) || is_one(std::get_if<op::AveragePool2D>(&node.op));
}

}  // namespace

void fold_batch_norm(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size();) {
    if (!std::holds_alternative<op::BatchNorm>(graph.nodes[i].op)) {
      ++i;
      continue;
    }
    const ChannelMap map = channel_map(graph, graph.nodes[i]);
    const ValueId input = graph.nodes[i].inputs[0];
    Node* producer = sole_producer(graph, input);
    if (producer && has_weights(producer->op) && *fused_activation(producer->op) == Activation::kNone) {
      scale_weights(graph, *producer, map);
      absorb(graph, *producer, graph.nodes[i]);
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (graph.value(input).shape.rank() == 4) turn_into_depthwise(graph, i, map);
    ++i;
  }
}

void fuse_activations(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size();) {
    const Node& node = graph.nodes[i];
    const auto* clamp = std::get_if<op::Clamp>(&node.op);
    Node* producer = clamp ? sole_producer(graph, node.inputs[0]) : nullptr;
    Activation* fused = producer ? fused_activation(producer->op) : nullptr;
    const std::optional<Activation> both = fused ? joined(*fused, clamp->activation) : std::nullopt;
    if (!both) {
      ++i;
      continue;
    }
    *fused = *both;
    absorb(graph, *producer, node);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void drop_identities(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size();) {
    Node& node = graph.nodes[i];
    if (std::holds_alternative<op::Reshape>(node.op)) {
      const int before = graph.producer(node.inputs[0]);
      if (before >= 0 && std::holds_alternative<op::Reshape>(graph.nodes[static_cast<size_t>(before)].op)) {
        node.inputs[0] = graph.nodes[static_cast<size_t>(before)].inputs[0];
      }
    }
    if (changes_nothing(graph, node)) {
      bypass(graph, node);
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  tidy(graph);  // a reshape that lost its last reader must not count as one
}

void run_passes(Graph& graph) {
  validate(graph);
  drop_identities(graph);
  fold_batch_norm(graph);
  fuse_activations(graph);
  tidy(graph);
  validate(graph);
}

}  // namespace qlimit
