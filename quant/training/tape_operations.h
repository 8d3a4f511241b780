// The operations of a graph, computed on the tape: what FloatExecutor compiles, with gradients.
//
//   Variable y = compute_on_tape(graph.nodes[3], {x}, {weight, bias});      // without the node's activation
//
// The activation is left to whoever brings the result to its grid (fake_quantize does both at once).
#pragma once

#include <vector>

#include "core/variable.h"
#include "quant/graph.h"
#include "quant/training/fake_quantize.h"

namespace qlimit {

/// Throws kUnsupported, naming the node, for what cannot be computed on the tape: operations that `trace`
/// never makes, batch norms that run_passes could not fold, and graphs that are not written for one image.
void require_trainable(const Graph& graph);

/// The result of a trainable node on a batch, before its activation. operands: one for each, [N,...]; filter:
/// of nodes with weights.
Variable compute_on_tape(const Node& node, const std::vector<Variable>& operands, const FakeFilter& filter);

/// The node's own activation, fused or, of a clamp, what it is.
Activation activation_of(const Op& op);

/// activation(x) as an operation of its own.
Variable activate(const Variable& x, Activation activation);

}  // namespace qlimit
