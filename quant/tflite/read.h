// Reads a .tflite file, whoever made it, as the graph that our own models become too.
//
//   QuantizedModel model(read_tflite(bytes, "model.tflite"));
//   Tensor<float> scores = model.run(images);
//
// Supported are int8 and float32 models (both kinds of values may occur in one graph) with one input and one
// output, made of ADD, AVERAGE_POOL_2D, CONCATENATION, CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE,
// FULLY_CONNECTED, LOGISTIC, MAX_POOL_2D, MEAN, MUL, PAD, QUANTIZE, RELU, RELU6, RELU_N1_TO_1, RESHAPE,
// SOFTMAX and TANH. Everything else is refused by name before anything is computed: other operations, uint8,
// int16 and float16, int4 other than for the weights of int8 layers, integer weights under float activations,
// weights that are computed, shapes that are not known. Most of what TFLite's kernels check when a model is
// prepared is checked here (tflite/kernels/*.cc, Prepare). In one respect this is stricter: a pool, RESHAPE
// or PAD has the very scale of its operand, where those kernels let the last digits differ.
//
// The file may hold anything: quant/tflite/file.h checks its bytes, this half what they mean. Memory: at most
// TfliteModel::kMaxRepetition times the bytes of the file for constants in int8, and four times as much for
// the same as floats.
#pragma once

#include <string>
#include <string_view>

#include "quant/quantized_graph.h"

namespace qlimit {

/// The most bytes that the activations of one run may take together.
inline constexpr int64_t kMaxActivationBytes = int64_t{1} << 30;

/// The graph in `bytes`, for the batch that is written there; `file` is its name in messages. Values have the
/// names of the file's tensors. Operations that the output does not need are left out, and so are those that
/// compute the shape for a RESHAPE; float constants behind DEQUANTIZE are computed now. Throws, in one line
/// that names file, operation and tensor: kData for bytes that are not a sound model, kUnsupported for what
/// is well formed but not supported, kNumeric for weights that are not finite.
QuantizedGraph read_tflite(std::string_view bytes, const std::string& file);

}  // namespace qlimit
