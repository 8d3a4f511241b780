// The nodes of a quantized graph as integer kernels: parameters prepared.
#pragma once

#include "quant/program.h"
#include "quant/quantize.h"

namespace qlimit {

/// node: an index into the graph's nodes. Throws kUnsupported for a node without an integer form, and what
/// the prepare functions in quant/kernels throw.
CompiledNode compile_int8(const QuantizedGraph& q, size_t node);

}  // namespace qlimit
