#include "quant/remedies/layer_constants.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "quant/channel_view.h"

namespace qlimit {

std::vector<double> dequantized_weight(const QuantizedFilter& filter, int axis) {
  const ChannelView view(filter.weight.shape(), axis);
  std::vector<double> weight;
  for (int64_t i = 0; i < filter.weight.size(); ++i)
    weight.push_back(double{filter.scale(view.channel_of(i))} * filter.weight[i]);
  return weight;
}

std::vector<double> real_bias(const Graph& graph, const Node& node) {
  if (node.inputs.size() > 2) {
    const Tensor<float>& bias = graph.value(node.inputs[2]).constant;
    return std::vector<double>(bias.begin(), bias.end());
  }
  return std::vector<double>(static_cast<size_t>(graph.value(node.output).shape[-1]), 0.0);
}

void set_bias(QuantizedGraph& q, size_t i, const std::vector<double>& bias) {
  constexpr double kMost = 1 << 30;
  QuantizedFilter& filter = q.filters[i];
  const double input_scale = q.params_of(q.graph.nodes[i].inputs[0]).scale;
  const auto bad = std::find_if_not(bias.begin(), bias.end(), [](double b) { return std::isfinite(b); });
  if (bad != bias.end()) {
    throw Error(ErrorKind::kNumeric, {.what = "a corrected bias is not finite",
                                      .where = q.graph.value(q.graph.nodes[i].output).name,
                                      .found = concat(*bad, " in channel ", bad - bias.begin())});
  }
  for (size_t c = 0; c < bias.size(); ++c) {
    const double step = input_scale * filter.scale(static_cast<int64_t>(c));
    filter.bias[c] = static_cast<int32_t>(std::clamp(std::round(bias[c] / step), -kMost, kMost));
  }
}

}  // namespace qlimit
