// The words of a .tflite file for the operations of our graph.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/quantized_graph.h"
#include "quant/tflite/sharing_builder.h"

namespace qlimit::tflite {

/// A node in the words of the file.
struct OperatorForm {
  BuiltinOperator code;
  /// The least version of the operator that does what the node asks for, where its result is float32 and
  /// where it is int8 (TFLite, tools/versioning/op_version.cc).
  int32_t float_version = 1;
  int32_t int8_version = 2;
  BuiltinOptions options_type = BuiltinOptions::NONE;
  Offset<void> options = {};
  /// A second input that holds attributes: axes, or the paddings [rank,2].
  std::vector<int32_t> attributes = {};
  Shape attributes_shape = {};
};

/// Whether the weights of a layer are written as INT4, two in a byte: those of 4 bits. The format's other
/// narrow types are not for these operations, so all other widths are written as INT8.
inline bool is_int4(const QuantizedFilter& filter) { return filter.bits == 4; }

/// Whether a layer with weights is written with a bias. Dense layers do without one that is zero
/// throughout, unless the graph has it. Of the convolutions, TFLite's refuses to run without, and its
/// optimized depthwise one follows a null pointer (LiteRT 2.3, kernels/conv.cc and depthwise_conv.cc): they
/// get zeros. filter: the integers of the layer, none in floats.
bool wants_bias(const Node& node, const QuantizedFilter& filter);

/// The form of a node, by its index; its options are written into `file`. Throws kUnsupported, naming the
/// node, if it has none.
OperatorForm operator_form(const QuantizedGraph& graph, size_t node, SharingBuilder& file);

/// The dimensions of a shape as the file holds them. Throws kUnsupported for a number beyond int32.
std::vector<int32_t> dims(const Shape& shape);

}  // namespace qlimit::tflite
