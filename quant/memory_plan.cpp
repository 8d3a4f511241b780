#include "quant/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/memory.h"

namespace qlimit {
namespace {

int64_t round_up(int64_t bytes) {
  constexpr auto kUnit = static_cast<int64_t>(kAlignment);
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

/// Each value's storage: its own, or for the result of a reshape that of the operand.
std::vector<ValueId> storage_of_values(const Graph& graph) {
  std::vector<ValueId> storage(graph.values.size());
  std::iota(storage.begin(), storage.end(), 0);
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<op::Reshape>(node.op)) {
      storage[static_cast<size_t>(node.output)] = storage[static_cast<size_t>(node.inputs[0])];
    }
  }
  return storage;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes) {
  for (const Lifetime& life : lifetimes) {
    if (life.bytes < 0 || life.last < life.first) {
      throw Error(ErrorKind::kUsage,
                  {.what = "impossible lifetime",
                   .where = "memory plan",
                   .found = concat(life.bytes, " bytes from step ", life.first, " to ", life.last)});
    }
  }
  std::vector<size_t> by_size(lifetimes.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t i : by_size) {
    int64_t offset = 0;
    for (size_t other : placed) {
      if (!meet(lifetimes[i], lifetimes[other])) continue;
      if (offset + lifetimes[i].bytes <= plan.offsets[other]) break;
      offset = std::max(offset, round_up(plan.offsets[other] + lifetimes[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, round_up(offset + lifetimes[i].bytes));
    const auto after = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [&](int64_t at, size_t other) { return at < plan.offsets[other]; });
    placed.insert(after, i);
  }
  return plan;
}

GraphMemory plan_graph_memory(const Graph& graph, const std::vector<NodeMemory>& nodes) {
  const std::vector<ValueId> storage = storage_of_values(graph);
  const int steps = static_cast<int>(graph.nodes.size());
  // One lifetime for each value (empty for constants and for the results of reshapes), one for each scratch.
  std::vector<Lifetime> lifetimes(graph.values.size() + graph.nodes.size());
  const auto life_of = [&](ValueId id) -> Lifetime& {
    return lifetimes[static_cast<size_t>(storage[static_cast<size_t>(id)])];
  };
  const auto bytes_of = [&](ValueId id) {
    return graph.value(id).shape.size() * element_bytes(graph.value(id).type);
  };
  life_of(graph.input).bytes = bytes_of(graph.input);
  for (int step = 0; step < steps; ++step) {
    const Node& node = graph.nodes[static_cast<size_t>(step)];
    if (!std::holds_alternative<op::Reshape>(node.op)) {
      const bool early = step > 0 && nodes[static_cast<size_t>(step) - 1].computes_next;
      life_of(node.output) = {bytes_of(node.output), early ? step - 1 : step, step};
    }
    for (ValueId id : node.inputs) {
      if (!graph.value(id).is_constant()) life_of(id).last = step;
    }
    lifetimes[graph.values.size() + static_cast<size_t>(step)] = {
        nodes[static_cast<size_t>(step)].scratch_bytes, step, step};
  }
  life_of(graph.output).last = steps;

  const MemoryPlan plan = plan_memory(lifetimes);
  GraphMemory memory{.value_offsets = {}, .scratch_offsets = {}, .bytes = plan.bytes};
  for (size_t i = 0; i < graph.values.size(); ++i) {
    memory.value_offsets.push_back(
        graph.values[i].is_constant() ? -1 : plan.offsets[static_cast<size_t>(storage[i])]);
  }
  memory.scratch_offsets.assign(plan.offsets.begin() + static_cast<std::ptrdiff_t>(graph.values.size()),
                                plan.offsets.end());
  return memory;
}

}  // namespace qlimit
