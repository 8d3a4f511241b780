#include "quant/profile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "quant/quantize.h"
#include "quant/quantized_model.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Graph two_nodes() {
  Graph graph;
  graph.add_input("x", {1, 4});
  graph.add(op::Clamp{Activation::kRelu}, {graph.input});
  graph.add(op::Clamp{Activation::kRelu6}, {graph.output});
  return graph;
}

// What a run reads off when the second of its two nodes takes two milliseconds. Sleep never ends early.
void run_slowly(const Graph& graph, const Probe& probe, bool together) {
  probe(0, graph.input, nullptr);
  if (!together) probe(0, graph.nodes[0].output, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  probe(0, graph.nodes[1].output, nullptr);
}

TEST(Profile, GivesEachNodeItsOwnTime) {
  const Graph graph = two_nodes();
  std::set<int64_t> calls;
  const std::vector<NodeTime> times = profile(graph, 5, [&](int64_t call, const Probe& probe) {
    calls.insert(call);
    run_slowly(graph, probe, false);
  });
  ASSERT_EQ(times.size(), 2u);
  EXPECT_GE(times[0].us, 0);
  EXPECT_GE(times[1].us, 2000);
  EXPECT_FALSE(times[0].with_next || times[1].with_next);
  EXPECT_EQ(calls.size(), 6u);  // one to warm up
}

TEST(Profile, NodesComputedTogetherHaveOneTime) {
  const Graph graph = two_nodes();
  const std::vector<NodeTime> times =
      profile(graph, 1, [&](int64_t, const Probe& probe) { run_slowly(graph, probe, true); });
  ASSERT_EQ(times.size(), 2u);
  EXPECT_TRUE(times[0].with_next);
  EXPECT_EQ(times[0].us, 0);
  EXPECT_FALSE(times[1].with_next);
  EXPECT_GE(times[1].us, 2000);
}

TEST(Profile, RefusesOtherRunsThanWholeAndEqualOnes) {
  const Graph graph = two_nodes();
  const auto refused = [&](const std::function<void(int64_t, const Probe&)>& run, const char* found) {
    expect_error([&] { profile(graph, 3, run); }, ErrorKind::kUsage, {found});
  };
  refused([](int64_t, const Probe&) {}, "found 0 readings");
  refused([&](int64_t, const Probe& probe) { probe(0, graph.input, nullptr); }, "found 1 readings");
  refused(
      [&](int64_t, const Probe& probe) {
        run_slowly(graph, probe, false);
        run_slowly(graph, probe, false);
      },
      "found 6 readings");
  refused([&](int64_t call, const Probe& probe) { run_slowly(graph, probe, call == 2); }, "different values");
  expect_error([&] { profile(graph, 0, [](int64_t, const Probe&) {}); }, ErrorKind::kUsage, {"no calls"});
}

// A convolution that computes the pool after it, as ordinary runs do, and one that cannot.
TEST(Profile, SeesAModelAsItRuns) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 8, 8, 4});
  const ValueId weight = graph.add_constant("w", Tensor<float>::full({8, 3, 3, 4}, 0.1f));
  graph.add(op::Conv2D{{.kernel_h = 3, .kernel_w = 3}}, {x, weight});
  graph.add(op::MaxPool2D{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}}, {graph.output});
  graph.add(op::Clamp{Activation::kRelu}, {graph.output});
  const QuantizedGraph q = quantize(graph, Ranges(graph.values.size(), Range{-1, 1}));
  std::vector<int8_t> in(256, 3), out(128);
  const auto profiled = [&](Kernels kernels, ProbeView view) {
    const QuantizedModel model(q, kernels);
    Workspace workspace = model.make_workspace(1);
    return profile(graph, 3, [&](int64_t, const Probe& probe) {
      model.run_stored(in.data(), 1, out.data(), workspace, &probe, view);
    });
  };
  const std::vector<NodeTime> fast = profiled(Kernels::kFast, ProbeView::kAsComputed);
  ASSERT_EQ(fast.size(), 3u);
  EXPECT_TRUE(fast[0].with_next);
  EXPECT_FALSE(fast[1].with_next || fast[2].with_next);
  for (const NodeTime& node : profiled(Kernels::kReference, ProbeView::kAsComputed))
    EXPECT_FALSE(node.with_next);
  for (const NodeTime& node : profiled(Kernels::kFast, ProbeView::kEveryValue)) EXPECT_FALSE(node.with_next);
}

}  // namespace
}  // namespace qlimit
