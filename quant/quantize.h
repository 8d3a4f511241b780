// Post-training quantization: a float graph and the ranges of its activations become a graph of integers.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);
//   Ranges ranges = calibrate(FloatExecutor(graph), images);
//   QuantizedModel model(quantize(graph, ranges));
//
// All rules are those of TFLite's 8-bit specification; quant/affine.h chooses the numbers, this file decides
// which tensor gets which.
#pragma once

#include <vector>

#include "quant/affine.h"
#include "quant/fixed_point.h"
#include "quant/graph.h"

namespace qlimit {

/// The range of each value of a graph, by ValueId; those of constants do not matter.
using Ranges = std::vector<Range>;

struct QuantizeOptions {
  /// One scale for each output channel of (depthwise) convolutions, or one for all.
  Granularity weights = Granularity::kPerChannel;
  /// The same for dense layers. One for all by default: older TFLite and TFLM runtimes know nothing else.
  Granularity dense_weights = Granularity::kPerTensor;
  Rounding rounding = Rounding::kDouble;
};

/// A graph in integers, as plain data: what a file would hold, and what QuantizedModel compiles.
struct QuantizedGraph {
  Graph graph;                           // the float graph it was made from
  std::vector<AffineParams> params;      // scale and zero point of each activation, by ValueId
  std::vector<QuantizedFilter> filters;  // for each node; without elements where the node has no weights
  Rounding rounding = Rounding::kDouble;
};

/// Chooses scale and zero point of every activation, and quantizes weights and biases.
/// - Pools and reshapes keep their input's scale and zero point; softmax has its fixed ones (kSoftmaxParams).
/// - Biases have the scale s_in * s_w, so that they add to the accumulator as they are.
/// Throws kUnsupported, naming the node, for an operation without an integer form; kUsage if `ranges` does
/// not belong to the graph; kNumeric for ranges or weights that are not finite.
QuantizedGraph quantize(const Graph& graph, const Ranges& ranges, const QuantizeOptions& options = {});

/// The axis of a node's weights that is its output channel: 3 for depthwise convolutions, else 0.
int channel_axis(const Op& op);

}  // namespace qlimit
