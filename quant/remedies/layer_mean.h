// What bias correction is made of: the mean output of a layer, and a bias that gives it another one.
//
// A layer is linear before its activation, so the mean of its output is its output for the mean input. That
// holds exactly, at borders too, if each place of the input has its own mean.
#pragma once

#include <vector>

#include "quant/quantized_graph.h"

namespace qlimit {

/// The mean over pixels (or rows, of a dense layer) of each output channel of a node with weights, before
/// bias and activation. `weight` has the layout of the node's weight, `input` that of its input value: the
/// mean of each element.
std::vector<double> mean_output(const Graph& graph, const Node& node, const std::vector<double>& weight,
                                const std::vector<double>& input);

/// The real numbers that a node's integer weights stand for.
std::vector<double> dequantized_weight(const QuantizedFilter& filter, int axis);

/// Sets the bias of node `i` to the nearest steps of s_in * s_w for these real numbers, one for each channel,
/// within 2^30 (see enlarge_for_bias). Throws kNumeric, and changes nothing, if one is not finite.
void set_bias(QuantizedGraph& q, size_t i, const std::vector<double>& bias);

/// The bias of a node in floats; zeros if it has none.
std::vector<double> real_bias(const Graph& graph, const Node& node);

/// Throws kUsage, naming `caller`, unless `q` is valid and was made from a graph of this form.
void check_reference(const char* caller, const QuantizedGraph& q, const Graph& reference);

}  // namespace qlimit
