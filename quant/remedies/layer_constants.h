// The weights and the bias of a layer as real numbers: those of the integers, and what they are set to.
#pragma once

#include <vector>

#include "quant/quantized_graph.h"

namespace qlimit {

/// The real numbers that a layer's integer weights stand for.
std::vector<double> dequantized_weight(const QuantizedFilter& filter, int axis);

/// The bias of a node in floats; zeros if it has none.
std::vector<double> real_bias(const Graph& graph, const Node& node);

/// Sets the bias of node `i` to the nearest steps of s_in * s_w for these real numbers, one for each channel,
/// within 2^30 (see enlarge_for_bias). Throws kNumeric, and changes nothing, if one is not finite.
void set_bias(QuantizedGraph& q, size_t i, const std::vector<double>& bias);

}  // namespace qlimit
