// What a graph costs before it runs: the multiplications and the constants of each operation.
//
//   NodeCost cost = node_cost(quantized, 3);      // of the node quantized.graph.nodes[3]
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/quantized_graph.h"

namespace qlimit {

/// The bytes of so many numbers of so many bits, packed one behind the other without gaps, whatever the
/// width: eight numbers of 3 bits in 3 bytes. Only the last byte of a tensor may be used in part.
constexpr int64_t packed_bytes(int64_t numbers, int bits) { return (numbers * bits + 7) / 8; }

struct NodeCost {
  int64_t multiply_adds = 0;  // in one run: of convolutions and dense layers; of the others they do not count
  int64_t parameters = 0;     // numbers in its constants
  /// Of these: integer weights and operands packed by their width (a .tflite file packs those of 8 and 4
  /// bits), int32 or float biases.
  int64_t constant_bytes = 0;
};

/// Of a graph in integers, in floats, or mixed.
NodeCost node_cost(const QuantizedGraph& q, size_t node);

/// The sum over all nodes. A constant that several nodes share counts once.
NodeCost total_cost(const QuantizedGraph& q);

}  // namespace qlimit
