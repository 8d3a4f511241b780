// Where the time of a model goes: how long each operation takes.
//
//   Workspace workspace = model.make_workspace(1);
//   std::vector<double> us = profile(model.graph(), 1000, [&](int64_t call, const Probe& clock) {
//     model.run_stored(image, 1, result, workspace, &clock);
//   });
//
// The clock is read between the operations of an ordinary run, through the program's probe, which looks at no
// data: that takes some 0.03 us an operation, as the time of a reshape shows, which does nothing. With a
// probe each operation runs by itself, so convolutions and the max pools behind them, which else are computed
// together (quant/program.h), take longer here than in a run without one.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "quant/program.h"

namespace qlimit {

/// The median of the microseconds that each node of the graph takes, over `calls` calls after a tenth as many
/// to warm up. `run` runs the graph once, with the given probe; a run of several images at a time has
/// several threads at work, so it may not be used here. Throws kUsage if calls < 1 or a call did not visit
/// each node once.
std::vector<double> profile(const Graph& graph, int64_t calls,
                            const std::function<void(int64_t call, const Probe& probe)>& run);

}  // namespace qlimit
