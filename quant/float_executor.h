// The float graph, compiled: the honest fp32 baseline.
//
// What int8 is compared with must not carry the costs of training: batch norm is folded (run_passes), weights
// are packed for the matrix kernel, bias and activation are applied while a result is in registers, all
// memory is planned. The same executor feeds calibration and error reports through its probe.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);
//   FloatExecutor executor(graph);
//   Tensor<float> logits = executor.run(images);                  // [N,32,32,3] -> [N,10]
//
//   Workspace workspace = executor.make_workspace(1);             // for a caller that measures or serves
//   executor.run(image, 1, result, workspace);                    // allocates nothing
#pragma once

#include "quant/program.h"

namespace qlimit {

class FloatExecutor {
 public:
  /// Compiles a valid graph; all its values are computed as floats, whatever their type. Throws kUsage if it
  /// is not valid, kNumeric for a constant that is not finite, kUnsupported if it needs too much memory.
  explicit FloatExecutor(Graph graph);

  /// Memory for one caller, for up to `max_runs` runs at once (more run too, with less parallelism).
  Workspace make_workspace(int64_t max_runs = 1) const { return program_.make_workspace(max_runs); }

  /// images: `runs` inputs of the graph, outputs: room for as many results, both contiguous. May be called by
  /// several threads, each with its own workspace. Results do not depend on how many runs a call makes or on
  /// the number of threads.
  void run(const float* images, int64_t runs, float* outputs, Workspace& workspace,
           const Probe* probe = nullptr) const;

  /// images: [N,...] -> [N,...]. Throws kUsage if the shape is not the graph's.
  Tensor<float> run(const Tensor<float>& images, const Probe* probe = nullptr) const;

  const Graph& graph() const { return graph_; }

 private:
  Graph graph_;
  Program program_;
};

}  // namespace qlimit
