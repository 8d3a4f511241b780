// Pairs of nodes that are computed at once.
#pragma once

#include "quant/graph.h"

namespace qlimit {

/// Whether nothing but the next node reads the node's result, and that is a 2x2 max pool with stride 2 and no
/// activation: then a convolution pools its sums while they are in registers (core/kernels/conv.h).
bool is_pooled_by_next(const Graph& graph, const Node& node);

}  // namespace qlimit
