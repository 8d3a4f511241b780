#include "experiments/inference/timing.h"

#include <algorithm>
#include <cstring>

#include "core/kernels/peak.h"
#include "core/random.h"
#include "experiments/inference/tensors.h"
#include "experiments/measure.h"

namespace qlimit {
namespace {

constexpr int64_t kMostInputs = 64;  // taken in turn, so that no branch predictor learns one by heart
constexpr int64_t kFewestCalls = 5;
constexpr double kLongest = 5;  // seconds, for the single runs of one measurement
constexpr int64_t kThroughputRuns = 128;
constexpr double kLongestCall = 0.25;  // seconds, for a call with many runs

int64_t value_bytes(const Graph& graph, ValueId id) {
  return graph.value(id).shape.size() * element_bytes(graph.value(id).type);
}

// How many calls that last so long fit into a time.
int64_t fitting(double seconds, double seconds_each) {
  return static_cast<int64_t>(seconds / std::max(seconds_each, 1e-9));
}

}  // namespace

StoredInputs stored_inputs(const Graph& graph, const InputEncoder& encoder, int64_t count) {
  const int64_t per_run = examples_per_run(graph);
  const int64_t run_bytes = value_bytes(graph, graph.input);
  StoredInputs inputs{.bytes = {}, .runs = std::min(kMostInputs, (count + per_run - 1) / per_run)};
  inputs.bytes.resize(static_cast<size_t>(inputs.runs * run_bytes));
  for (int64_t i = 0; i < inputs.runs * per_run; ++i)
    encoder.encode(std::min(i, count - 1), 1, inputs.bytes.data() + i * (run_bytes / per_run));
  return inputs;
}

StoredInputs random_inputs(const Graph& graph) {
  const Value& input = graph.value(graph.input);
  StoredInputs inputs{.bytes = std::vector<std::byte>(static_cast<size_t>(value_bytes(graph, graph.input))),
                      .runs = 1};
  Random random(1, "inputs to time a model");
  if (input.type == DataType::kInt8) {
    for (std::byte& byte : inputs.bytes) byte = static_cast<std::byte>(random.below(256));
  } else {
    std::vector<float> numbers(static_cast<size_t>(input.shape.size()));
    for (float& x : numbers) x = static_cast<float>(random.uniform());
    std::memcpy(inputs.bytes.data(), numbers.data(), inputs.bytes.size());
  }
  return inputs;
}

Peaks measure_peaks() {
  return {.real = peak_multiply_adds(Arithmetic::kReal), .int8 = peak_multiply_adds(Arithmetic::kInt8)};
}

Timing measure_times(const QuantizedModel& model, const StoredInputs& inputs, int64_t calls) {
  const Graph& graph = model.graph();
  const int64_t in_bytes = value_bytes(graph, graph.input), out_bytes = value_bytes(graph, graph.output);
  const auto input = [&](int64_t call) { return inputs.bytes.data() + call % inputs.runs * in_bytes; };
  std::vector<std::byte> output(static_cast<size_t>(out_bytes));
  Workspace single = model.make_workspace(1);
  const auto run_once = [&](int64_t call) { model.run_stored(input(call), 1, output.data(), single); };
  const double seconds = 1e-6 * time_calls(1, run_once).median;

  Timing timing{.calls = std::min(calls, std::max(kFewestCalls, fitting(kLongest, seconds))),
                .peaks = measure_peaks()};
  timing.latency_us = time_calls(timing.calls, run_once);
  timing.nodes = profile(graph, timing.calls, [&](int64_t call, const Probe& clock) {
    model.run_stored(input(call), 1, output.data(), single, &clock, ProbeView::kAsComputed);
  });

  timing.throughput_runs = std::clamp<int64_t>(fitting(kLongestCall, seconds), 1, kThroughputRuns);
  std::vector<std::byte> many(static_cast<size_t>(timing.throughput_runs * in_bytes));
  for (int64_t i = 0; i < timing.throughput_runs; ++i)
    std::copy_n(input(i), in_bytes, many.data() + i * in_bytes);
  std::vector<std::byte> outputs(static_cast<size_t>(timing.throughput_runs * out_bytes));
  Workspace workspace = model.make_workspace(timing.throughput_runs);
  const double call_seconds = time_large_calls(
      calls, [&] { model.run_stored(many.data(), timing.throughput_runs, outputs.data(), workspace); });
  timing.throughput = static_cast<double>(timing.throughput_runs * examples_per_run(graph)) / call_seconds;
  return timing;
}

}  // namespace qlimit
