// The memory plan: where in one block of memory each tensor lies, decided before the first image.
//
// A tensor is alive from the step that writes it to the last step that reads it. Two tensors may share bytes
// if their lives do not overlap, so the block is far smaller than the sum of the tensors:
//
//   MemoryPlan plan = plan_memory({{.bytes = 4096, .first = 0, .last = 1},    // offset 0
//                                  {.bytes = 1024, .first = 1, .last = 2},    // offset 4096
//                                  {.bytes = 2048, .first = 2, .last = 3}});  // offset 0 again
//
// Finding the smallest block is NP-hard; placing the largest tensors first, each at the lowest offset where
// it meets nobody, comes close to the bound for networks (Pisarchyk and Lee 2020, arXiv 2001.03288, "greedy
// by size").
#pragma once

#include <cstdint>
#include <vector>

#include "quant/graph.h"

namespace qlimit {

/// A tensor's need for memory: its size, and the first and last step at which it is in use.
struct Lifetime {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // one for each lifetime, multiples of kAlignment
  int64_t bytes = 0;             // of the whole block
};

/// Throws kUsage for a negative size or a life that ends before it begins.
MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes);

/// Where an executor keeps the values of a graph, and the scratch memory of each node.
struct GraphMemory {
  std::vector<int64_t> value_offsets;    // -1 for constants
  std::vector<int64_t> scratch_offsets;  // one for each node
  int64_t bytes = 0;
};

/// What a node needs besides its operands and its result.
struct NodeMemory {
  int64_t scratch_bytes = 0;
  bool computes_next = false;  // it may write the next node's result, which therefore lives from here on
};

/// Plans the activations of one run, and the memory of each node while it runs. Step i is node i. The input
/// lives from the start, the output until the end. The result of a reshape lies where its operand lies.
GraphMemory plan_graph_memory(const Graph& graph, const std::vector<NodeMemory>& nodes);

}  // namespace qlimit
