// A graph in integers, as plain data: what `quantize` makes, a .tflite file holds, and QuantizedModel compiles.
//
//   QuantizedGraph q = quantize(graph, ranges);
//   validate(q);
//   q.params_of(q.graph.input);                  // scale and zero point of the input
#pragma once

#include <vector>

#include "quant/affine.h"
#include "quant/graph.h"
#include "quant/runtime.h"

namespace qlimit {

/// Graphs from `quantize` are integers throughout; of any width, they are stored as int8. Others may start and
/// end with floats (op::Quantize, op::Dequantize), or have float parts.
struct QuantizedGraph {
  Graph graph;                           // its constants are real numbers, of int8 operands too
  std::vector<AffineParams> params;      // the grid of each int8 value, by ValueId
  std::vector<QuantizedFilter> filters;  // for each node; without elements where the node has no int8 weights
  Runtime runtime = Runtime::kTflite;

  const AffineParams& params_of(ValueId id) const { return params[static_cast<size_t>(id)]; }
  bool is_int8(ValueId id) const { return graph.value(id).type == DataType::kInt8; }
};

/// Checks what QuantizedModel relies on beyond validate(Graph): as many parameters and filters as values and
/// nodes, operands and result of a node of one type unless it converts, positive scales, zero points and
/// weights on their grids, one grid before and behind a pool, a reshape or padding, for each int8 node with
/// weights as many of them as it asks for. Throws kUsage; kNumeric for a constant that is not finite.
void validate(const QuantizedGraph& q);

/// Throws kUsage, naming `caller`, unless `q` is valid and was made from a graph of this form.
void check_reference(const char* caller, const QuantizedGraph& q, const Graph& reference);

/// Where the grid of an operation's result comes from.
enum class GridSource {
  kRange,    // from the numbers that it computes
  kOperand,  // it is that of the operand: pools, reshapes, padding
  kFixed,    // from the operation: softmax, logistic, tanh
};
GridSource grid_source(const Op& op);

}  // namespace qlimit
