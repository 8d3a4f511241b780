// The layers of a traced graph as they were before batch norm was folded into them: what training goes on
// with.
//
//   const UnfoldedLayers before = unfolded_layers(traced);
//   run_passes(traced);
//   before.at("conv2d_1").gamma      // of the batch norm that is in the weights of conv2d_1 now
#pragma once

#include <map>
#include <string>

#include "quant/graph.h"

namespace qlimit {

/// A layer with weights and the batch norm behind it. The layer's bias, which a batch norm takes away with
/// the mean, is already taken from `mean`.
struct UnfoldedLayer {
  Tensor<float> weight;
  Tensor<float> gamma, beta, mean, variance;  // [C]
  double epsilon = 1e-5;
};

/// By the name that the layer's result has after run_passes.
using UnfoldedLayers = std::map<std::string, UnfoldedLayer>;

/// All that run_passes folds. Throws kUsage if the graph is not valid, kUnsupported for two batch norms in a
/// row.
UnfoldedLayers unfolded_layers(const Graph& traced);

}  // namespace qlimit
