// The nodes of a graph as float kernels: weights packed, geometry and block sizes fixed, one image at a time.
#pragma once

#include "quant/program.h"

namespace qlimit {

/// Throws kUnsupported for a node without a kernel; there is none at present.
CompiledNode<float> compile_float(const Graph& graph, const Node& node);

}  // namespace qlimit
