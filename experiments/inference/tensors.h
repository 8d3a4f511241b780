// The tensors that a model computes for a set of examples, all of them or the output alone, as arrays that
// can be written to files.
//
//   Tensors tensors = compute_tensors(model, encoder, examples.size(), {.layers = true});
//   write_layers("layers", tensors.layers);       // layers/00_input.npy, layers/01_conv2d_1.npy, ...
//   write_npy("logits.npy", tensors.output);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/npy.h"
#include "experiments/inference/examples.h"
#include "quant/quantized_model.h"

namespace qlimit {

/// One tensor for all examples, of the type that it has in the model: [N,...]. If its first axis is not the
/// batch, the results of all runs stand one below the other.
struct LayerTensor {
  int number = 0;         // 0 the input, then the operations in the order in which they run
  std::string name = {};  // of the value in the graph
  NpyArray values = {};
};

struct Tensors {
  NpyArray output;  // of ordinary runs, in which operations may be computed together
  std::vector<LayerTensor>
      layers;  // of runs with each operation by itself, the input first; empty unless asked for
};

struct ComputeOptions {
  bool layers = false;
  /// Called from time to time with the number of examples done.
  std::function<void(int64_t done)> progress = {};
};

/// More than this is not kept: a thousand images of a large net fill the memory.
inline constexpr int64_t kMaxTensorBytes = int64_t{2} << 30;

/// Runs the model on `count` examples, the first ones. If its graph is written for several at a time, the
/// last run is filled up with the last example, and its surplus results are dropped. Throws kUsage if the
/// tensors would take more than kMaxTensorBytes.
Tensors compute_tensors(const QuantizedModel& model, const InputEncoder& encoder, int64_t count,
                        const ComputeOptions& options = {});

/// How many examples the graph takes in one run: the first size of its input.
int64_t examples_per_run(const Graph& graph);

/// "03_conv2d_2.npy": the number, and the name as far as it is safe in a file's name.
std::string layer_file_name(int number, const std::string& name);

/// Writes each tensor into the folder, which is created if need be. Throws kIo.
void write_layers(const std::filesystem::path& folder, const std::vector<LayerTensor>& layers);

/// The class with the largest output of each row of [N,...]; the first of several that are equal.
std::vector<int64_t> largest_of_rows(const NpyArray& output);

}  // namespace qlimit
