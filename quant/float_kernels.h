// The nodes of a graph as float kernels: weights packed, geometry and block sizes fixed.
#pragma once

#include "quant/program.h"

namespace qlimit {

/// The kernel of a node whose inputs and output are all float.
CompiledNode compile_float(const Graph& graph, const Node& node);

/// The graph's float constants that are operands of a node.
OperandConstants float_constants(const Graph& graph);

}  // namespace qlimit
