// Mixed precision: each layer its own width. Most layers of a network do well with 4 bits, some do not; which
// ones is not visible in the weights, so it is measured.
//
//   Measure loss = classification_loss(images, labels);
//   std::vector<NodeSensitivity> nodes = measure_sensitivity(graph, ranges, loss, {.widths = {8, 4, 2}});
//   std::vector<int> bits = assign_widths(graph, nodes, 6000);          // bytes for all weights together
//   QuantizedGraph q = quantize(graph, ranges, {.node_weight_bits = bits});
//
// The damage of a layer is what the measure says when this layer alone is narrow. That the damages of several
// narrow layers add up is an assumption (Dong et al., "HAWQ-V2", NeurIPS 2020, make it too, with second
// derivatives instead of measurements). Under it the best widths are those of a knapsack with one choice for
// each layer, which is solved exactly.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "quant/quantize.h"
#include "quant/quantized_model.h"

namespace qlimit {

/// A number that says how bad a model is: less is better.
using Measure = std::function<double(const QuantizedModel&)>;

/// The mean squared difference of the outputs from those of the float graph `reference`. Needs no labels.
/// images: [N,...]. The folded graph is the one to pass.
Measure output_error(const Graph& reference, const Tensor<float>& images);

/// The mean cross entropy of the model's outputs, taken as logits. images: [N,...], labels: N classes below
/// the number of outputs. Throws kUsage if they do not fit together, at the latest when it is called.
Measure classification_loss(const Tensor<float>& images, const std::vector<int64_t>& labels);

struct SensitivityOptions {
  std::vector<int> widths = {8, 4, 2};  // of weights, 2 to 8 bits
  /// All else. The layers that are not looked at have weight_bits; node_weight_bits has to be empty.
  QuantizeOptions quantize = {};
};

/// One layer with weights, and what each width would mean for it.
struct NodeSensitivity {
  size_t node = 0;  // its place in Graph::nodes
  struct Choice {
    int bits = 8;
    int64_t bytes = 0;  // of the packed weights (quant/cost.h); biases do not depend on the width
    double damage = 0;  // the measure, less that of the model with weight_bits everywhere
  };
  std::vector<Choice> choices;
};

/// Measures each node with weights at each width, the others at options.quantize.weight_bits: as many calls
/// as nodes times widths, less one a node if weight_bits is among the widths, and one. Damages may be
/// negative. Throws kUsage for widths out of range or none, and what `quantize` throws.
std::vector<NodeSensitivity> measure_sensitivity(const Graph& graph, const Ranges& ranges,
                                                 const Measure& measure,
                                                 const SensitivityOptions& options = {});

/// For each node of the graph the width of its weights (8 where it has none), such that the bytes are at most
/// `budget` and the sum of the damages is the least possible; among equals, one with the least bytes. Throws
/// kUsage if the budget is too small for the narrowest choices or a node has none, kNumeric for a damage that is
/// not finite, kUnsupported if there are too many combinations to be exact.
std::vector<int> assign_widths(const Graph& graph, const std::vector<NodeSensitivity>& nodes, int64_t budget);

}  // namespace qlimit
