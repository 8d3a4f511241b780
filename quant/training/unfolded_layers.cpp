#include "quant/training/unfolded_layers.h"

#include "core/error.h"
#include "quant/passes.h"

namespace qlimit {
namespace {

UnfoldedLayer joined(const Graph& graph, const Node& layer, const Node& norm) {
  const auto constant = [&](const Node& node, size_t k) { return graph.value(node.inputs[k]).constant; };
  UnfoldedLayer unfolded = {.weight = constant(layer, 1),
                            .gamma = constant(norm, 1),
                            .beta = constant(norm, 2),
                            .mean = constant(norm, 3).clone(),
                            .variance = constant(norm, 4),
                            .epsilon = std::get<op::BatchNorm>(norm.op).epsilon};
  if (layer.inputs.size() < 3) return unfolded;
  for (int64_t c = 0; c < unfolded.mean.size(); ++c) unfolded.mean[c] -= constant(layer, 2)[c];
  return unfolded;
}

}  // namespace

UnfoldedLayers unfolded_layers(const Graph& traced) {
  validate(traced);
  Graph before = traced;
  drop_identities(before);
  Graph folded = before;
  fold_batch_norm(folded);  // hands names on to the outputs, whose ids stay
  UnfoldedLayers layers;
  for (const Node& norm : before.nodes) {
    if (!std::holds_alternative<op::BatchNorm>(norm.op)) continue;
    const int producer = before.producer(norm.inputs[0]);
    if (producer < 0) continue;
    const Node& layer = before.nodes[static_cast<size_t>(producer)];
    const std::string& name = folded.value(norm.output).name;
    if (has_weights(layer.op) && name == before.value(layer.output).name) {
      layers.emplace(name, joined(before, layer, norm));
    } else if (layers.contains(name)) {
      throw Error(ErrorKind::kUnsupported, {.what = "two batch norms in a row cannot be trained",
                                            .where = before.value(norm.output).name});
    }
  }
  return layers;
}

}  // namespace qlimit
