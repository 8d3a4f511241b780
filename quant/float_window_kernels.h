// The float kernels of operations with a window or with weights: convolutions, dense layers, pools.
#pragma once

#include "quant/program.h"

namespace qlimit {

CompiledNode compile_float(const Graph& graph, const Node& node, const op::Conv2D& o);
CompiledNode compile_float(const Graph& graph, const Node& node, const op::DepthwiseConv2D& o);
CompiledNode compile_float(const Graph& graph, const Node& node, const op::Dense& o);
CompiledNode compile_float(const Graph& graph, const Node& node, const op::MaxPool2D& o);
CompiledNode compile_float(const Graph& graph, const Node& node, const op::AveragePool2D& o);

}  // namespace qlimit
