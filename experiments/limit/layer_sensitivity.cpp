#include "experiments/limit/layer_sensitivity.h"

#include "quant/analysis.h"

namespace qlimit {
namespace {

// Others move numbers in the steps of their input.
bool computes_new_numbers(const Op& op) {
  return has_weights(op) || std::holds_alternative<op::Add>(op) || std::holds_alternative<op::Mean>(op);
}

}  // namespace

LayersResult narrow_each_layer(Quantizer& quantizer, int bits) {
  const Graph& graph = quantizer.graph();
  const std::vector<int> node_bits(graph.nodes.size(), kMostBits);
  const std::vector<int> value_bits = activation_widths(graph, kMostBits);
  const std::vector<int> narrow_values = activation_widths(graph, bits);
  LayersResult result{
      .bits = bits, .int8 = quantizer.count_correct(quantizer.quantize(node_bits, value_bits)), .layers = {}};
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!computes_new_numbers(node.op)) continue;
    std::vector<int> weights = node_bits, values = value_bits;
    weights[i] = bits;
    values[static_cast<size_t>(node.output)] = narrow_values[static_cast<size_t>(node.output)];
    const QuantizedGraph q = quantizer.quantize(weights, values);
    const std::vector<LayerNoise> noise =
        layer_noise(quantizer.executor(), QuantizedModel(q), quantizer.calibration_images());
    result.layers.push_back({.name = graph.value(node.output).name,
                             .correct = quantizer.count_correct(q),
                             .sqnr_db = noise[i + 1].sqnr_db});  // the input stands first
  }
  return result;
}

}  // namespace qlimit
