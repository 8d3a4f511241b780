// The mean output of a layer, which bias correction puts right.
//
// A layer is linear before its activation, so the mean of its output is its output for the mean input. That
// holds exactly, at borders too, if each place of the input has its own mean.
#pragma once

#include <vector>

#include "quant/graph.h"

namespace qlimit {

/// The mean over pixels (or rows, of a dense layer) of each output channel of a node with weights, before
/// bias and activation. `weight` has the layout of the node's weight, `input` that of its input value: the
/// mean of each element.
std::vector<double> mean_output(const Graph& graph, const Node& node, const std::vector<double>& weight,
                                const std::vector<double>& input);

}  // namespace qlimit
