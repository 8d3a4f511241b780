// How long a model takes: one run, many runs together, and each operation. From the bytes that it stores in
// its input to those of its output: making these from images is not measured.
//
//   Timing timing = measure_times(model, stored_inputs(model.graph(), encoder, examples.size()), 1000);
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "experiments/inference/examples.h"
#include "experiments/statistics.h"
#include "quant/profile.h"
#include "quant/quantized_model.h"

namespace qlimit {

/// Inputs for some runs, one behind the other, as the graph stores them.
struct StoredInputs {
  std::vector<std::byte> bytes;
  int64_t runs = 0;
};

/// Of the first examples, for at most 64 runs; the last example fills up the last run.
StoredInputs stored_inputs(const Graph& graph, const InputEncoder& encoder, int64_t count);

/// For times without data: random bytes for int8, random numbers in [0,1) for floats.
StoredInputs random_inputs(const Graph& graph);

/// Multiply-adds a second that all threads together can do at most (core/kernels/peak.h).
struct Peaks {
  double real = 0;  // 0: not known
  double int8 = 0;
};
Peaks measure_peaks();

struct Timing {
  int64_t calls = 0;                 // single runs that were timed
  Spread latency_us = {};            // of one run
  int64_t throughput_runs = 0;       // runs in a call, for the throughput
  double throughput = 0;             // examples per second
  std::vector<NodeTime> nodes = {};  // of each node (quant/profile.h)
  Peaks peaks = {};                  // of this machine
};

/// Times `calls` single runs (at least 1) for the latency and as many again for the nodes, or as many as fit
/// into some seconds, but five at least; then some calls with many runs for the throughput.
Timing measure_times(const QuantizedModel& model, const StoredInputs& inputs, int64_t calls);

}  // namespace qlimit
