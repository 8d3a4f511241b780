#include "quant/profile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

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

// A program that is slept through: two milliseconds in its second node. Sleep never ends early.
TEST(Profile, GivesEachNodeItsOwnTime) {
  const Graph graph = two_nodes();
  std::set<int64_t> calls;
  const std::vector<double> us = profile(graph, 5, [&](int64_t call, const Probe& probe) {
    calls.insert(call);
    probe(0, graph.input, nullptr);
    probe(0, graph.nodes[0].output, nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    probe(0, graph.nodes[1].output, nullptr);
  });
  ASSERT_EQ(us.size(), 2u);
  EXPECT_GE(us[0], 0);
  EXPECT_GE(us[1], 2000);
  EXPECT_EQ(calls.size(), 6u);  // one to warm up
}

TEST(Profile, ProfilesAModel) {
  const QuantizedModel model(quantize(two_nodes(), Ranges(3, Range{-1, 1})));
  Workspace workspace = model.make_workspace(1);
  const int8_t in[4] = {1, 2, 3, 4};
  int8_t out[4];
  const std::vector<double> us = profile(model.graph(), 3, [&](int64_t, const Probe& probe) {
    model.run_stored(in, 1, out, workspace, &probe);
  });
  EXPECT_EQ(us.size(), 2u);
  expect_error(
      [&] {
        profile(model.graph(), 3, [&](int64_t, const Probe&) { model.run_stored(in, 1, out, workspace); });
      },
      ErrorKind::kUsage, {"3 values", "found 0"});
  expect_error([&] { profile(model.graph(), 0, [](int64_t, const Probe&) {}); }, ErrorKind::kUsage,
               {"no calls"});
}

}  // namespace
}  // namespace qlimit
