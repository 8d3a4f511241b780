// The nodes of a quantized graph as integer kernels: parameters prepared.
#pragma once

#include "quant/program.h"
#include "quant/quantized_graph.h"

namespace qlimit {

/// Which form of a kernel that has two: the one for use, or its definition, which is slow and has no vectors.
/// Both compute the same bits.
enum class Kernels { kFast, kReference };

/// node: an index into the graph's nodes. Throws kUnsupported for a node without an integer form, and what
/// the prepare functions in quant/kernels throw.
CompiledNode compile_int8(const QuantizedGraph& q, size_t node, Kernels kernels = Kernels::kFast);

}  // namespace qlimit
