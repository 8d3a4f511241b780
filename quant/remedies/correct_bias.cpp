#include "quant/remedies/correct_bias.h"

#include "quant/float_executor.h"
#include "quant/recording.h"
#include "quant/remedies/layer_constants.h"
#include "quant/remedies/layer_input.h"
#include "quant/remedies/layer_mean.h"

namespace qlimit {
namespace {

constexpr int64_t kBatch = 32;

/// The mean over the images of each element of each activation, by ValueId.
std::vector<std::vector<double>> mean_activations(const FloatExecutor& executor,
                                                  const Tensor<float>& images) {
  std::vector<std::vector<double>> means(executor.graph().values.size());
  const auto count = static_cast<double>(run_count(executor.graph(), images.shape()));
  for_each_batch(executor.graph(), images, kBatch, [&](const Tensor<float>& batch) {
    const auto activations = record_activations<float>(executor, batch);
    for (size_t id = 0; id < means.size(); ++id) {
      if (activations[id].empty()) continue;
      const auto size = static_cast<size_t>(executor.graph().values[id].shape.size());
      means[id].resize(size, 0.0);
      for (int64_t k = 0; k < activations[id].size(); ++k) {
        means[id][static_cast<size_t>(k) % size] += activations[id][k] / count;
      }
    }
  });
  return means;
}

/// b + W E[x] - W~ E[x~] for each output channel.
std::vector<double> corrected(const QuantizedGraph& q, size_t i, const Graph& reference,
                              const std::vector<double>& mean_input, const Tensor<float>& images) {
  const Node& node = reference.nodes[i];
  const Tensor<float>& weight = reference.value(node.inputs[1]).constant;
  const std::vector<double> exact =
      mean_output(reference, node, std::vector<double>(weight.begin(), weight.end()), mean_input);
  const std::vector<double> found =
      mean_output(q.graph, q.graph.nodes[i], dequantized_weight(q.filters[i], channel_axis(node.op)),
                  mean_integer_input(q, i, images));
  std::vector<double> bias = real_bias(reference, node);
  for (size_t c = 0; c < bias.size(); ++c) bias[c] += exact[c] - found[c];
  return bias;
}

}  // namespace

void correct_bias(QuantizedGraph& q, const Graph& reference, const Tensor<float>& images) {
  check_reference("correct_bias", q, reference);
  const std::vector<std::vector<double>> means = mean_activations(FloatExecutor(reference), images);
  for (size_t i = 0; i < q.filters.size(); ++i) {
    if (q.filters[i].weight.empty()) continue;
    const auto input = static_cast<size_t>(reference.nodes[i].inputs[0]);
    set_bias(q, i, corrected(q, i, reference, means[input], images));
  }
}

}  // namespace qlimit
