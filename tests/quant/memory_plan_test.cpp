#include "quant/memory_plan.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/random.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

std::vector<Lifetime> random_lifetimes(Random& rng) {
  std::vector<Lifetime> lives(1 + rng.below(40));
  for (Lifetime& life : lives) {
    life.bytes = rng.below(5) == 0 ? 0 : rng.below(5000);
    life.first = static_cast<int>(rng.below(30));
    life.last = life.first + static_cast<int>(rng.below(10));
  }
  return lives;
}

TEST(MemoryPlan, LivingTensorsNeverOverlap) {
  Random rng(1, "memory plan");
  for (int trial = 0; trial < 500; ++trial) {
    const std::vector<Lifetime> lives = random_lifetimes(rng);
    const MemoryPlan plan = plan_memory(lives);
    ASSERT_EQ(plan.offsets.size(), lives.size());
    for (size_t i = 0; i < lives.size(); ++i) {
      EXPECT_GE(plan.offsets[i], 0);
      EXPECT_EQ(plan.offsets[i] % static_cast<int64_t>(kAlignment), 0);
      EXPECT_LE(plan.offsets[i] + lives[i].bytes, plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        const bool both_live = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
        const bool share_bytes = plan.offsets[i] < plan.offsets[j] + lives[j].bytes &&
                                 plan.offsets[j] < plan.offsets[i] + lives[i].bytes;
        EXPECT_FALSE(both_live && share_bytes && lives[i].bytes > 0 && lives[j].bytes > 0)
            << "tensors " << i << " and " << j << " in trial " << trial;
      }
    }
  }
}

TEST(MemoryPlan, NeedsAtLeastWhatLivesTogetherAndAtMostTheSum) {
  Random rng(2, "memory plan");
  for (int trial = 0; trial < 200; ++trial) {
    const std::vector<Lifetime> lives = random_lifetimes(rng);
    const MemoryPlan plan = plan_memory(lives);
    int64_t sum = 0, most_at_once = 0;
    for (int step = 0; step < 40; ++step) {
      int64_t now = 0;
      for (const Lifetime& life : lives) {
        if (life.first <= step && step <= life.last) now += life.bytes;
      }
      most_at_once = std::max(most_at_once, now);
    }
    for (const Lifetime& life : lives) sum += (life.bytes + 63) / 64 * 64;
    EXPECT_GE(plan.bytes, most_at_once);
    EXPECT_LE(plan.bytes, sum);
  }
}

TEST(MemoryPlan, AChainNeedsItsTwoLargestNeighbours) {
  const MemoryPlan plan = plan_memory({{.bytes = 4096, .first = 0, .last = 1},
                                       {.bytes = 1024, .first = 1, .last = 2},
                                       {.bytes = 2048, .first = 2, .last = 3}});
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 4096, 0}));
  EXPECT_EQ(plan.bytes, 5120);
}

TEST(MemoryPlan, RefusesImpossibleLives) {
  expect_error([] { plan_memory({{.bytes = -1, .first = 0, .last = 0}}); }, ErrorKind::kUsage,
               {"impossible lifetime", "-1 bytes"});
  expect_error([] { plan_memory({{.bytes = 1, .first = 3, .last = 2}}); }, ErrorKind::kUsage,
               {"impossible lifetime", "from step 3 to 2"});
}

TEST(GraphMemory, AReshapeLiesWhereItsOperandLiesAndTheOutputIsKept) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 4, 4, 2});
  const ValueId relu = graph.add(op::Clamp{}, {x});
  const ValueId flat = graph.add(op::Reshape{{1, 32}}, {relu});
  const ValueId again = graph.add(op::Clamp{}, {flat});
  const GraphMemory memory = plan_graph_memory(graph, {{}, {}, {.scratch_bytes = 256}});
  EXPECT_EQ(memory.value_offsets[static_cast<size_t>(relu)], memory.value_offsets[static_cast<size_t>(flat)]);
  EXPECT_NE(memory.value_offsets[static_cast<size_t>(flat)],
            memory.value_offsets[static_cast<size_t>(again)]);
  // The last step needs its operand, its result and its scratch memory.
  EXPECT_EQ(memory.bytes, 128 + 128 + 256);
}

TEST(GraphMemory, TheOutputIsKeptWhileLaterNodesRun) {
  Graph graph;
  const ValueId output = graph.add(op::Clamp{}, {graph.add_input("x", {1, 16})});
  ValueId at = output;
  for (int i = 0; i < 4; ++i) at = graph.add(op::Clamp{}, {at});
  graph.output = output;
  const GraphMemory memory = plan_graph_memory(graph, std::vector<NodeMemory>(5));
  for (ValueId later = output + 1; later <= at; ++later) {
    EXPECT_NE(memory.value_offsets[static_cast<size_t>(later)],
              memory.value_offsets[static_cast<size_t>(output)]);
  }
}

}  // namespace
}  // namespace qlimit
