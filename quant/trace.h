// Tracing: the tape of one run is the model.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//
// The model runs once in evaluation mode with the tape on, and the operations that it recorded are read back.
// Whatever a layer is made of, the graph sees only its operations: a new layer built from existing ones needs
// nothing here, and a new pointwise function (layers/pointwise.h) brings itself along.
#pragma once

#include "layers/layer.h"
#include "quant/graph.h"

namespace qlimit {

/// Runs `model` on one image of zeros of the given shape ([N,H,W,C] or [N,I]; N does not matter). Weights are
/// copied, so that the graph stays what it is while the model trains on, and carry their names in the model.
/// Throws kUnsupported for an operation that has no form in a graph, kUsage if the tape is off or the output
/// does not depend on the input.
Graph trace(Layer& model, const Shape& input);

/// The same on a given image (or batch): for models whose layers look at their data.
Graph trace(Layer& model, const Tensor<float>& images);

}  // namespace qlimit
