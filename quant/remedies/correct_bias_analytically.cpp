#include "quant/remedies/correct_bias_analytically.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "quant/overloaded.h"
#include "quant/remedies/layer_constants.h"
#include "quant/remedies/layer_mean.h"

namespace qlimit {
namespace {

/// An activation: normal variables that were clamped. Number i of a value belongs to channel i % C.
struct ClampedChannels {
  NormalChannels normal;
  Activation activation = Activation::kNone;
};

Moments moments_of(const ClampedChannels& x, size_t c) {
  const double mean = x.normal.mean[c], deviation = x.normal.deviation[c];
  if (x.activation == Activation::kNone) return {mean, deviation * deviation};
  const Bounds bounds = bounds_of(x.activation);
  return clipped_normal(mean, deviation, bounds.low, bounds.high);
}

/// Normal variables of the same mean and variance, so that something else can happen to them.
ClampedChannels unclamped(const ClampedChannels& x, Activation next = Activation::kNone) {
  ClampedChannels y{.normal = {}, .activation = next};
  for (size_t c = 0; c < x.normal.mean.size(); ++c) {
    const Moments moments = moments_of(x, c);
    y.normal.mean.push_back(moments.mean);
    y.normal.deviation.push_back(std::sqrt(moments.variance));
  }
  return y;
}

/// A clamp of the greatest is the greatest of the clamped, so the maximum is taken of the normal variables.
ClampedChannels pooled(ClampedChannels x, int64_t window, double correlation) {
  const Moments greatest = greatest_normal(window);
  for (size_t c = 0; c < x.normal.mean.size(); ++c) {
    double& deviation = x.normal.deviation[c];
    x.normal.mean[c] += deviation * std::sqrt(1 - correlation) * greatest.mean;
    deviation *= std::sqrt(correlation + (1 - correlation) * greatest.variance);
  }
  return x;
}

ClampedChannels sum(const ClampedChannels& a, const ClampedChannels& b, Activation activation) {
  const ClampedChannels x = unclamped(a), y = unclamped(b);
  ClampedChannels result{.normal = x.normal, .activation = activation};
  for (size_t c = 0; c < x.normal.mean.size(); ++c) {
    result.normal.mean[c] += y.normal.mean[c];
    result.normal.deviation[c] = std::hypot(x.normal.deviation[c], y.normal.deviation[c]);
  }
  return result;
}

/// Carries what is known from value to value.
class Propagation {
 public:
  Propagation(const Graph& graph, const ActivationMoments& moments, const AnalyticCorrectionOptions& options)
      : graph_(graph), moments_(moments), options_(options), known_(graph.values.size()) {
    learn(graph.input, Activation::kNone);
  }

  const std::optional<ClampedChannels>& of(ValueId id) const { return known_[static_cast<size_t>(id)]; }

  void pass(const Node& node) {
    if (const Activation* fused = fused_activation(node.op);
        learn(node.output, fused ? *fused : Activation::kNone)) {
      return;
    }
    known_[static_cast<size_t>(node.output)] = derived(node);
  }

 private:
  /// Takes the moments that stand under the value's name.
  bool learn(ValueId id, Activation activation) {
    const Value& value = graph_.value(id);
    const auto found = moments_.find(value.name);
    if (found == moments_.end()) return false;
    const auto channels = static_cast<size_t>(value.shape[-1]);
    if (found->second.mean.size() != channels || found->second.deviation.size() != channels) {
      throw Error(ErrorKind::kUsage, {.what = "moments do not fit the graph",
                                      .where = value.name,
                                      .expected = concat(channels, " channels"),
                                      .found = concat(found->second.mean.size())});
    }
    known_[static_cast<size_t>(id)] = ClampedChannels{found->second, activation};
    return true;
  }

  std::optional<ClampedChannels> derived(const Node& node) const {
    const std::optional<ClampedChannels>& x = of(node.inputs[0]);
    if (!x) return std::nullopt;
    const Shape& input = graph_.value(node.inputs[0]).shape;
    const bool has_channels_last = input[-1] == static_cast<int64_t>(x->normal.mean.size());
    using Result = std::optional<ClampedChannels>;
    return std::visit(
        Overloaded{[&](const op::MaxPool2D& o) -> Result {
                     if (!has_channels_last || o.activation != Activation::kNone) return std::nullopt;
                     return pooled(*x, o.window.kernel_h * o.window.kernel_w, options_.window_correlation);
                   },
                   [&](const op::AveragePool2D& o) -> Result {
                     return has_channels_last ? Result(unclamped(*x, o.activation)) : std::nullopt;
                   },
                   [&](const op::Mean& o) -> Result {
                     const bool kept =
                         std::find(o.axes.begin(), o.axes.end(), input.rank() - 1) == o.axes.end();
                     return has_channels_last && kept ? Result(unclamped(*x)) : std::nullopt;
                   },
                   [&](const op::Add& o) -> Result {
                     const std::optional<ClampedChannels>& y = of(node.inputs[1]);
                     if (!y || input != graph_.value(node.inputs[1]).shape) return std::nullopt;
                     if (x->normal.mean.size() != y->normal.mean.size()) return std::nullopt;
                     return sum(*x, *y, o.activation);
                   },
                   [&](const op::Clamp& o) -> Result { return unclamped(*x, o.activation); },
                   [&](const op::Reshape&) -> Result { return x; },
                   [](const auto&) -> Result { return std::nullopt; }},
        node.op);
  }

  const Graph& graph_;
  const ActivationMoments& moments_;
  const AnalyticCorrectionOptions& options_;
  std::vector<std::optional<ClampedChannels>> known_;  // by ValueId
};

/// b - (W~ - W) E[x] for each output channel.
std::vector<double> corrected(const QuantizedGraph& q, size_t i, const Graph& reference,
                              const ClampedChannels& x) {
  const Node& node = reference.nodes[i];
  const size_t channels = x.normal.mean.size();
  std::vector<double> input(static_cast<size_t>(reference.value(node.inputs[0]).shape.size()));
  for (size_t k = 0; k < input.size(); ++k)
    input[k] = k < channels ? moments_of(x, k).mean : input[k - channels];

  std::vector<double> error = dequantized_weight(q.filters[i], channel_axis(node.op));
  const Tensor<float>& weight = reference.value(node.inputs[1]).constant;
  for (size_t k = 0; k < error.size(); ++k) error[k] -= weight[static_cast<int64_t>(k)];
  const std::vector<double> shift = mean_output(reference, node, error, input);
  std::vector<double> bias = real_bias(reference, node);
  for (size_t c = 0; c < bias.size(); ++c) bias[c] -= shift[c];
  return bias;
}

}  // namespace

std::vector<std::string> correct_bias_analytically(QuantizedGraph& q, const Graph& reference,
                                                   const ActivationMoments& moments,
                                                   const AnalyticCorrectionOptions& options) {
  check_reference("correct_bias_analytically", q, reference);
  if (!(options.window_correlation >= 0 && options.window_correlation <= 1)) {
    throw Error(ErrorKind::kUsage, {.what = "a correlation is not between 0 and 1",
                                    .where = "correct_bias_analytically",
                                    .found = concat(options.window_correlation)});
  }
  Propagation propagation(reference, moments, options);
  std::vector<std::string> layers;
  for (size_t i = 0; i < reference.nodes.size(); ++i) {
    const Node& node = reference.nodes[i];
    if (const auto& input = propagation.of(node.inputs[0]); input && !q.filters[i].weight.empty()) {
      set_bias(q, i, corrected(q, i, reference, *input));
      layers.push_back(reference.value(node.output).name);
    }
    propagation.pass(node);
  }
  return layers;
}

}  // namespace qlimit
