// What a graph costs before it runs: the multiplications and the constants of each operation.
//
//   NodeCost cost = node_cost(quantized, 3);      // of the node quantized.graph.nodes[3]
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/quantize.h"

namespace qlimit {

struct NodeCost {
  int64_t multiply_adds = 0;  // in one run: of convolutions and dense layers; of the others they do not count
  int64_t parameters = 0;     // numbers in its constants
  int64_t constant_bytes =
      0;  // of these, as a file stores them: int8 weights and operands, int32 or float biases
};

/// Of a graph in integers, in floats, or mixed.
NodeCost node_cost(const QuantizedGraph& q, size_t node);

/// The sum over all nodes. A constant that several nodes share counts once.
NodeCost total_cost(const QuantizedGraph& q);

}  // namespace qlimit
