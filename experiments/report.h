// What an experiment has found, as tables for people and as JSON for programs (experiments/charts and `pareto` read
// it).
//
// "spread" of a latency is the range that holds nine tenths of the calls; "+-" is one standard error.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/machine.h"
#include "experiments/measure.h"
#include "experiments/train.h"
#include "quant/analysis.h"
#include "quant/tflite/write.h"

namespace qlimit {

/// One engine's figures.
struct EngineFigures {
  Evaluation evaluation = {};
  Spread latency_us = {};  // one image
  double throughput = 0;   // images per second, in batches
  TfliteLedger file = {};  // the bytes of its .tflite file; none for the training graph
};

/// What training has cost besides time; in result.json under "training".
struct TrainingCost {
  double loader_share = 0;          // of the time, in [0,1]: waiting for batches; the loader is no bottleneck
                                    // as long as this is near zero
  int64_t peak_tensor_bytes = 0;    // held by tensors at once: the activations of a step, weights, batches
  int64_t peak_resident_bytes = 0;  // of the whole process up to then, data set included
};

/// One run: one seed.
struct RunResult {
  uint64_t seed = 0;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // for one image
  EngineFigures training_graph = {};
  EngineFigures fp32 = {};
  EngineFigures int8 = {};
  std::vector<LayerNoise> noise = {};
  std::vector<EpochRecord> history = {};
  double training_seconds = 0;   // of this process; a resumed run has trained before
  double images_per_second = 0;  // while training, evaluation after each epoch included
  TrainingCost cost = {};
};

/// What was run, on what, with what.
struct ExperimentContext {
  std::string experiment;
  std::string dataset;
  SettingsList settings;
  Machine machine;
  int threads = 1;
  int64_t throughput_batch = 0;
};

/// Memory and the loader's share, in one line.
std::string cost_text(const TrainingCost& cost);

/// fp32 beside int8: size, accuracy, speed and their ratios; then McNemar's test in words.
std::string comparison_table(const RunResult& run, const ExperimentContext& context);

/// The three engines' latency: the training graph's share shows what compiling the graph brings without any
/// integers.
std::string latency_table(const RunResult& run);

/// What the bytes of the two .tflite files are spent on; nothing if there are none.
std::string ledger_table(const RunResult& run);

/// The signal-to-quantization-noise ratio of each layer.
std::string noise_table(const RunResult& run);

/// A line for each seed, then mean, deviation and 95 % interval of the accuracies and of their difference. At
/// least two runs.
std::string seeds_table(const std::vector<RunResult>& runs);

/// Why an accuracy in per cent is not what a check requires: it is lower, or a suspicious 100; empty if it
/// will do.
std::string accuracy_objection(double percent, double required);

nlohmann::ordered_json to_json(const Machine& machine);

/// The result file of one run.
nlohmann::ordered_json to_json(const RunResult& run, const ExperimentContext& context);

/// The result file of several runs: that of the first, and under "seeds" what all of them say together.
nlohmann::ordered_json to_json(const std::vector<RunResult>& runs, const ExperimentContext& context);

}  // namespace qlimit
