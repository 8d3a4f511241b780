// Writes .tflite files: what TFLite, LiteRT and TFLite Micro load and run.
//
//   TfliteFile file = write_tflite(model.quantized());
//   write_file("model_int8.tflite", file.bytes);
//   std::cout << file.ledger.weights << " of " << file.ledger.total() << " bytes are weights\n";
//
// The files are small: equal constants, shapes, scales and options are stored once, a dense layer flattens
// its input without a reshape before it, and what no runtime reads is left out. Equal graphs give equal
// bytes.
//
// Widths: weights of 4 bits are written as INT4, two in a byte. Dense layers should then have one scale,
// since TFLite Micro refuses one for each row; and of LiteRT 2.3's kernels, the resolver of the reference
// ones does not list the depthwise convolution that reads INT4. The format has no form for layers with
// weights of other widths below 8: they are written as INT8, one in a byte. Nor has it activations below 8
// bits: as INT8 they would not be clamped to their grid, so they are refused.
#pragma once

#include <cstdint>
#include <string>

#include "quant/graph.h"
#include "quant/quantized_graph.h"

namespace qlimit {

/// What the bytes of a .tflite file are spent on.
struct TfliteLedger {
  int64_t weights = 0;       // the numbers of filters, and of other constants that are computed with
  int64_t biases = 0;        // the numbers of biases
  int64_t quantization = 0;  // scales and zero points, and the tables that hold them
  int64_t structure = 0;     // all the rest: tensors, operators and their options, shapes, names, alignment
  int64_t total() const { return weights + biases + quantization + structure; }
  bool operator==(const TfliteLedger&) const = default;
};

struct TfliteFile {
  std::string bytes;
  TfliteLedger ledger;  // adds up to bytes.size()
};

/// A float graph, usually after run_passes. Throws kUsage if it is not valid, kNumeric for a constant that
/// is not finite; kUnsupported, naming the node, for an operation without a TFLite form: batch norm, and
/// element-wise functions that TFLite does not name; kUnsupported for what does not fit the format: numbers
/// beyond int32, constants of more than 2^30 bytes.
TfliteFile write_tflite(const Graph& graph);

/// A graph with integers; its input and output have the types that the graph gives them. Throws the same, and
/// kUnsupported, naming the value, for an activation of fewer than 8 bits.
TfliteFile write_tflite(const QuantizedGraph& graph);

}  // namespace qlimit
