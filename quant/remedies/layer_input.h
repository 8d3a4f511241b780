// What a layer of an integer model is given on some images, while the layers behind it may still change.
#pragma once

#include <vector>

#include "quant/quantized_graph.h"

namespace qlimit {

/// The graph up to node `last`, whose result is its output. Ids stay.
Graph prefix(const Graph& graph, size_t last);
QuantizedGraph prefix(const QuantizedGraph& q, size_t last);

/// The input of node `i` on images [N,...], as the integer model computes it, dequantized: [N,...]. Runs the
/// nodes before it. The input must be int8.
Tensor<float> integer_input(const QuantizedGraph& q, size_t i, const Tensor<float>& images);

/// The mean of each element of that input over the images.
std::vector<double> mean_integer_input(const QuantizedGraph& q, size_t i, const Tensor<float>& images);

}  // namespace qlimit
