// The integer model: int8 in, int8 weights, int32 sums, int8 out; inside, any widths from 8 to 2 bits.
//
// Between the quantization of the input and the output no floating-point operation takes place (but for
// runtimes that compute with some, see runtime.h) and no memory is asked for. Zero-point terms are folded
// into the biases, scales have become fixed-point multipliers, all activations lie in one planned arena.
// Results equal those of TFLite's reference kernels (quant/kernels).
//
//   QuantizedModel model(quantize(graph, ranges));
//   Tensor<float> logits = model.run(images);                     // [N,32,32,3] -> [N,10]
//
//   Workspace workspace = model.make_workspace(1);                // for a caller that measures or serves
//   model.run(image, 1, result, workspace);                       // allocates nothing
//
// A graph with float parts runs too: those are computed by the float kernels.
#pragma once

#include <string>

#include "quant/int8_kernels.h"
#include "quant/program.h"
#include "quant/quantized_graph.h"

namespace qlimit {

class QuantizedModel {
 public:
  /// Throws kUsage if the graph is not valid, kNumeric for a constant that is not finite, kUnsupported if it
  /// needs too much memory, and what preparing a kernel throws, for example kNumeric if an accumulator could
  /// exceed int32.
  explicit QuantizedModel(QuantizedGraph quantized, Kernels kernels = Kernels::kFast);

  /// Memory for one caller, for up to `max_runs` runs at once (more run too, with less parallelism).
  Workspace make_workspace(int64_t max_runs = 1) const { return program_.make_workspace(max_runs); }

  /// images: `runs` inputs of the graph, outputs: room for as many results, both contiguous and of the types
  /// that the graph's input and output have. May be called by several threads, each with its own workspace.
  /// Results are bit-identical for any number of runs in a call and of threads.
  void run_stored(const void* images, int64_t runs, void* outputs, Workspace& workspace,
                  const Probe* probe = nullptr, ProbeView view = ProbeView::kEveryValue) const;
  /// The same between float borders: an int8 input is quantized first, an int8 output dequantized. Throws
  /// kNumeric for an input that is not a number.
  void run(const float* images, int64_t runs, float* outputs, Workspace& workspace,
           const Probe* probe = nullptr) const;
  /// images: [N,...] -> [N,...]. Throws kUsage if the shape is not the graph's.
  Tensor<float> run(const Tensor<float>& images, const Probe* probe = nullptr) const;

  const QuantizedGraph& quantized() const { return quantized_; }
  const Graph& graph() const { return quantized_.graph; }
  const AffineParams& params(ValueId id) const { return quantized_.params_of(id); }
  int64_t arena_bytes() const { return program_.arena_bytes(); }
  /// Everything that decides about results, as bytes: structure, scales, zero points, widths, weights, biases
  /// (pointwise functions by their names). For comparing two models.
  std::string fingerprint() const;

 private:
  QuantizedGraph quantized_;
  Program program_;
};

}  // namespace qlimit
