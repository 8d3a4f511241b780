// Post-training quantization: a float graph and the ranges of its activations become a graph of integers.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);
//   Ranges ranges = calibrate(FloatExecutor(graph), images);
//   QuantizedModel model(quantize(graph, ranges));
//
// All rules are those of TFLite's 8-bit specification; quant/affine.h chooses the numbers, this file decides
// which tensor gets which, and how many bits:
//
//   ObserverOptions four = {.method = CalibrationMethod::kMse, .bits = 4};
//   Ranges ranges = calibrate(FloatExecutor(graph), images, {.observer = four});
//   QuantizedModel model(quantize(graph, ranges, {.weight_bits = 4, .activation_bits = 4}));
#pragma once

#include <vector>

#include "quant/quantized_graph.h"
#include "quant/remedies/weight_range.h"

namespace qlimit {

/// The range of each value of a graph, by ValueId; those of constants do not matter.
using Ranges = std::vector<Range>;

struct QuantizeOptions {
  /// One scale for each output channel of (depthwise) convolutions, or one for all.
  Granularity weights = Granularity::kPerChannel;
  /// The same for dense layers. One for all by default: older TFLite and TFLM runtimes know nothing else.
  Granularity dense_weights = Granularity::kPerTensor;
  Runtime runtime = Runtime::kTflite;
  int weight_bits = kMostBits;             // 2 to 8
  int activation_bits = kMostBits;         // 2 to 8, of those that have a choice (activation_widths)
  std::vector<int> node_weight_bits = {};  // one for each node (mixed precision); empty: weight_bits for all
  /// One for each value, in place of activation_widths(graph, activation_bits); empty: those.
  std::vector<int> value_bits = {};
  WeightRangeOptions weight_range = {};
  /// What a training has chosen (quant/training): one grid for each value in place of its range, and for each
  /// node with weights their half ranges in place of weight_range. Empty: chosen here.
  std::vector<AffineParams> value_params = {};
  std::vector<std::vector<float>> node_half_ranges = {};
};

/// The width of each value of a graph, by ValueId. `bits` for most, but 8 for
/// - the input: images are bytes already, and narrowing them would be no property of the network;
/// - the output, and the logits before a last softmax or logistic: they are ten numbers, which nobody sums;
/// - what softmax, logistic and tanh compute, whose scale is fixed.
/// Pools, reshapes and padding have the width of their input.
std::vector<int> activation_widths(const Graph& graph, int bits);

/// Chooses scale and zero point of every activation, and quantizes weights and biases.
/// - Pools, reshapes and padding keep their input's scale and zero point; softmax, logistic and tanh have
///   fixed ones.
/// - Biases have the scale s_in * s_w, so that they add to the accumulator as they are.
/// Throws kUnsupported, naming the node, for an operation without an integer form, for a concatenation and
/// for op::Dequantize; kUsage if `ranges` or what `options` has for each node or value do not belong to the
/// graph, or for a width other than 2 to 8; kNumeric for ranges or weights that are not finite.
QuantizedGraph quantize(const Graph& graph, const Ranges& ranges, const QuantizeOptions& options = {});

/// The grid that `quantize` gives the result of a node whose numbers lie in `range`. params: by ValueId, of
/// the node's operands at least.
AffineParams result_params(const Node& node, const std::vector<AffineParams>& params, Range range, int bits);

}  // namespace qlimit
