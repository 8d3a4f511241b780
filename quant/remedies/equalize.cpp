#include "quant/remedies/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "quant/channel_view.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

/// f(s * x) = s * f(x) for all s > 0.
bool is_homogeneous(Activation activation) {
  return activation == Activation::kNone || activation == Activation::kRelu;
}

/// Whether a factor on channel c of the node's input is the same factor on channel c of its output. Numbers
/// belong to channel i % channels; images have their channels last.
bool lets_factors_pass(const Graph& graph, const Node& node, int64_t channels) {
  const Shape& input = graph.value(node.inputs[0]).shape;
  const bool has_channels_last = input[-1] == channels;
  const int last = input.rank() - 1;
  return std::visit(
      Overloaded{
          [&](const op::MaxPool2D& o) { return has_channels_last && is_homogeneous(o.activation); },
          [&](const op::AveragePool2D& o) { return has_channels_last && is_homogeneous(o.activation); },
          [&](const op::Mean& o) {
            return has_channels_last && std::find(o.axes.begin(), o.axes.end(), last) == o.axes.end();
          },
          [&](const op::Pad& o) {
            const auto axis = static_cast<size_t>(last);
            return has_channels_last && o.before[axis] == 0 && o.after[axis] == 0;
          },
          [](const op::Clamp& o) { return is_homogeneous(o.activation); },
          [](const op::Reshape&) { return true; }, [](const auto&) { return false; }},
      node.op);
}

/// Whether the node, which has weights, reads its input as that many channels.
bool reads_channels(const Graph& graph, const Node& node, int64_t channels) {
  if (std::holds_alternative<op::Dense>(node.op)) {
    return graph.value(node.inputs[1]).shape[1] % channels == 0;
  }
  return graph.value(node.inputs[0]).shape[-1] == channels;
}

/// The place of the node that alone reads a value.
std::optional<size_t> sole_reader(const Graph& graph, ValueId id) {
  if (graph.uses(id) != 1) return std::nullopt;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::vector<ValueId>& inputs = graph.nodes[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), id) != inputs.end()) return i;
  }
  return std::nullopt;  // the graph's output
}

std::optional<EqualizedPair> pair_of(const Graph& graph, size_t first) {
  const Node& node = graph.nodes[first];
  if (!has_weights(node.op) || !is_homogeneous(*fused_activation(node.op))) return std::nullopt;
  const int64_t channels = graph.value(node.output).shape[-1];
  ValueId at = node.output;
  while (const std::optional<size_t> reader = sole_reader(graph, at)) {
    const Node& next = graph.nodes[*reader];
    if (has_weights(next.op)) {
      if (!reads_channels(graph, next, channels)) return std::nullopt;
      return EqualizedPair{first, *reader, channels};
    }
    if (!lets_factors_pass(graph, next, channels)) return std::nullopt;
    at = next.output;
  }
  return std::nullopt;
}

/// The output channel that element i of a node's weights makes.
std::vector<size_t> output_channels(const Graph& graph, const Node& node) {
  const Shape& weight = graph.value(node.inputs[1]).shape;
  const ChannelView view(weight, channel_axis(node.op));
  std::vector<size_t> channels;
  for (int64_t i = 0; i < weight.size(); ++i) channels.push_back(static_cast<size_t>(view.channel_of(i)));
  return channels;
}

/// The input channel, of `count`, that element i of a node's weights reads.
std::vector<size_t> input_channels(const Graph& graph, const Node& node, int64_t count) {
  const Shape& weight = graph.value(node.inputs[1]).shape;
  const auto channel_of = [&](int64_t i) -> int64_t {
    if (std::holds_alternative<op::Dense>(node.op)) return i % weight[1] % count;
    if (std::holds_alternative<op::DepthwiseConv2D>(node.op)) return i % weight[3] / (weight[3] / count);
    const int64_t filter = i / (weight.size() / weight[0]);
    const int64_t filters_in_group = weight[0] / (count / weight[3]);
    return filter / filters_in_group * weight[3] + i % weight[3];
  };
  std::vector<size_t> channels;
  for (int64_t i = 0; i < weight.size(); ++i) channels.push_back(static_cast<size_t>(channel_of(i)));
  return channels;
}

/// Weights and bias of a node in double, because they are scaled many times and rounded once.
struct Parameters {
  std::vector<double> weight;
  std::vector<double> bias;  // empty if the node has none
  bool changed = false;
};

Parameters parameters_of(const Graph& graph, const Node& node) {
  const auto read = [&](size_t input) {
    if (input >= node.inputs.size()) return std::vector<double>();
    const Tensor<float>& constant = graph.value(node.inputs[input]).constant;
    return std::vector<double>(constant.begin(), constant.end());
  };
  return {read(1), read(2)};
}

/// Gives a node other numbers for one of its constants; whoever shares the constant keeps the old ones.
void replace_constant(Graph& graph, ValueId& id, const std::vector<double>& numbers) {
  const Value& old = graph.value(id);
  Tensor<float> fresh(old.shape, std::vector<float>(numbers.begin(), numbers.end()));
  if (graph.uses(id) == 1) {
    graph.value(id).constant = std::move(fresh);
  } else {
    id = graph.add_constant(std::string(old.name), std::move(fresh));
  }
}

/// One pair at work.
class Equalizer {
 public:
  Equalizer(const Graph& graph, const EqualizedPair& pair, double least_share)
      : pair_(pair),
        made_by_(output_channels(graph, graph.nodes[pair.first])),
        read_by_(input_channels(graph, graph.nodes[pair.second], pair.channels)),
        least_share_(least_share),
        scales_(static_cast<size_t>(pair.channels), 1.0) {}

  /// Makes the ranges equal. Returns the largest |log s_c|.
  double sweep(std::vector<Parameters>& all) {
    Parameters& first = all[pair_.first];
    Parameters& second = all[pair_.second];
    const std::vector<double> made = ranges(first.weight, made_by_), read = ranges(second.weight, read_by_);
    std::vector<double> s(scales_.size(), 1.0);
    double largest = 0;
    for (size_t c = 0; c < s.size(); ++c) {
      if (made[c] == 0 || read[c] == 0) continue;
      s[c] = std::sqrt(made[c] * read[c]) / read[c];
      scales_[c] *= s[c];
      largest = std::max(largest, std::abs(std::log(s[c])));
    }
    for (size_t i = 0; i < first.weight.size(); ++i) first.weight[i] /= s[made_by_[i]];
    for (size_t c = 0; c < first.bias.size(); ++c) first.bias[c] /= s[c];
    for (size_t i = 0; i < second.weight.size(); ++i) second.weight[i] *= s[read_by_[i]];
    first.changed = second.changed = first.changed || second.changed || largest > 0;
    return largest;
  }

  const std::vector<double>& scales() const { return scales_; }

 private:
  /// max |w| of each channel; 0 for those that are switched off.
  std::vector<double> ranges(const std::vector<double>& weight, const std::vector<size_t>& channel_of) const {
    std::vector<double> ranges(scales_.size(), 0.0);
    for (size_t i = 0; i < weight.size(); ++i) {
      ranges[channel_of[i]] = std::max(ranges[channel_of[i]], std::abs(weight[i]));
    }
    const double least = least_share_ * *std::max_element(ranges.begin(), ranges.end());
    for (double& range : ranges) range = range < least ? 0.0 : range;
    return ranges;
  }

  EqualizedPair pair_;
  std::vector<size_t> made_by_;  // channel of each weight of the first node
  std::vector<size_t> read_by_;  // and of the second
  double least_share_;
  std::vector<double> scales_;  // of all sweeps together
};

void check_options(const EqualizeOptions& options) {
  if (options.sweeps >= 0 && options.tolerance >= 0 && options.least_share >= 0) return;
  throw Error(ErrorKind::kUsage, {.what = "an option is negative or not a number", .where = "equalize"});
}

}  // namespace

std::vector<EqualizedPair> equalizable_pairs(const Graph& graph) {
  std::vector<EqualizedPair> pairs;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (const std::optional<EqualizedPair> pair = pair_of(graph, i)) pairs.push_back(*pair);
  }
  return pairs;
}

std::vector<EqualizedActivation> equalize(Graph& graph, const EqualizeOptions& options) {
  validate(graph);
  check_options(options);
  const std::vector<EqualizedPair> pairs = equalizable_pairs(graph);
  std::vector<Equalizer> equalizers;
  for (const EqualizedPair& pair : pairs) equalizers.emplace_back(graph, pair, options.least_share);
  std::vector<Parameters> all;
  for (const Node& node : graph.nodes) {
    all.push_back(has_weights(node.op) ? parameters_of(graph, node) : Parameters{});
  }

  double largest = std::numeric_limits<double>::infinity();
  for (int sweep = 0; sweep < options.sweeps && largest > options.tolerance; ++sweep) {
    largest = 0;
    for (Equalizer& equalizer : equalizers) largest = std::max(largest, equalizer.sweep(all));
  }

  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].changed) continue;
    Node& node = graph.nodes[i];
    replace_constant(graph, node.inputs[1], all[i].weight);
    if (node.inputs.size() > 2) replace_constant(graph, node.inputs[2], all[i].bias);
  }
  std::vector<EqualizedActivation> changes;
  for (size_t k = 0; k < pairs.size(); ++k) {
    changes.push_back({graph.value(graph.nodes[pairs[k].first].output).name, equalizers[k].scales()});
  }
  return changes;
}

}  // namespace qlimit
