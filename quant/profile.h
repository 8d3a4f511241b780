// Where the time of a model goes: how long each operation takes.
//
//   Workspace workspace = model.make_workspace(1);
//   std::vector<NodeTime> times = profile(model.graph(), 1000, [&](int64_t call, const Probe& clock) {
//     model.run_stored(image, 1, result, workspace, &clock, ProbeView::kAsComputed);
//   });
//
// The clock is read between the operations of an ordinary run, through a probe that looks at no data: that
// takes some 0.03 us an operation, as the time of a reshape shows, which does nothing. It is the only
// difference to a run without a probe. Operations that the program computes together have one time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "quant/program.h"

namespace qlimit {

struct NodeTime {
  double us = 0;           // microseconds: of this node and of those before it that are computed with it
  bool with_next = false;  // computed at once with the next node, which has the time of both; us is 0
};

/// The median time of each node of the graph over `calls` calls, after a tenth as many to warm up. `run` runs
/// the graph once, with the given probe and ProbeView::kAsComputed (kEveryValue would time each node by
/// itself, not the ordinary run). A run of several images at a time has several threads at work, so it may
/// not be used here. Throws kUsage if calls < 1, if a call did not run the graph from its input to its last
/// node once, or if calls differ in what is computed together.
std::vector<NodeTime> profile(const Graph& graph, int64_t calls,
                              const std::function<void(int64_t call, const Probe& probe)>& run);

}  // namespace qlimit
