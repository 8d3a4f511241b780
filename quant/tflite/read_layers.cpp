// The operations with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED.

#include <cmath>

#include "quant/tflite/int4.h"
#include "quant/tflite/operator_reader.h"

namespace qlimit {
namespace {

/// The constants of a layer, on their way into the graph.
struct Layer {
  std::vector<ValueId> inputs;  // x, weight, and bias if there is one
  QuantizedFilter filter;       // of an int8 layer
};

void expect_zero_points_of_zero(const OperatorReader& op, const TfliteTensor& tensor) {
  for (const int32_t zero_point : tensor.zero_points) {
    if (zero_point == 0) continue;
    op.refuse("weights and biases with a zero point are not supported", "0",
              concat(zero_point, " in '", tensor.name, "'"), ErrorKind::kUnsupported);
  }
}

// Biases count in steps of input scale * weight scale. Which scale the file gives them does not matter: no
// kernel reads it (but see expect_bias_scale).
ValueId read_bias(OperatorReader& op, QuantizedFilter& filter, float input_scale) {
  const TfliteTensor& from = op.input(2);
  const auto channels = static_cast<int64_t>(filter.bias.size());
  if (!from.is_constant() || from.type != TfliteType::kInt32) {
    op.refuse("the bias has to be a constant", "INT32", concat(to_string(from.type), " in '", from.name, "'"),
              ErrorKind::kUnsupported);
  }
  op.expect(from.elements == channels, "wrong number of biases", concat(channels), concat(from.elements));
  expect_zero_points_of_zero(op, from);
  op.graph().spend(from.elements * int64_t{sizeof(int32_t)});
  const Tensor<int32_t> numbers = numbers_of<int32_t>(from, {channels});
  filter.bias.assign(numbers.begin(), numbers.end());
  Tensor<float> real = Tensor<float>::uninitialized({channels});
  for (int64_t c = 0; c < channels; ++c) {
    real[c] = static_cast<float>(static_cast<double>(input_scale) * static_cast<double>(filter.scale(c)) *
                                 numbers[c]);
  }
  return op.add_constant(from.name, DataType::kFloat32, real, {});
}

Layer read_int8_layer(OperatorReader& op, ValueId x, int axis) {
  const TfliteTensor& from = op.input(1);
  const bool is_int4 = from.type == TfliteType::kInt4;
  if (!from.is_constant() || (from.type != TfliteType::kInt8 && !is_int4)) {
    op.refuse("the weights have to be constants", "INT8, as the activations, or INT4",
              concat(to_string(from.type), " in '", from.name, "'"), ErrorKind::kUnsupported);
  }
  const Shape shape = graph_shape(from, op.graph(), op.where());
  op.expect(shape.rank() > axis, "wrong shape of the weights", concat("a dimension ", axis),
            shape.to_string());
  op.expect(!from.scales.empty(), "the weights have no scale", "", concat("'", from.name, "'"));
  op.expect(from.scales.size() == 1 || from.quantized_dimension == axis,
            "the weights have scales along the wrong dimension", concat(axis),
            concat(from.quantized_dimension));
  expect_zero_points_of_zero(op, from);
  op.graph().spend(from.elements + 4 * shape[axis]);
  Layer layer;
  layer.filter.weight = is_int4 ? tflite::unpack_int4(from.data, shape) : numbers_of<int8_t>(from, shape);
  layer.filter.bits = is_int4 ? 4 : 8;
  layer.filter.scales = from.scales;
  layer.filter.bias.assign(static_cast<size_t>(shape[axis]), 0);
  const Tensor<float> real = dequantized(from, layer.filter.weight);
  layer.inputs = {x, op.add_constant(from.name, DataType::kFloat32, real, {})};
  if (op.has_input(2)) layer.inputs.push_back(read_bias(op, layer.filter, op.params(x).scale));
  return layer;
}

Layer read_float_layer(OperatorReader& op, ValueId x) {
  if (op.input(1).type != TfliteType::kFloat32) {
    op.refuse("weights in integers under FLOAT32 activations (dynamic range quantization) are not supported",
              "FLOAT32", concat(to_string(op.input(1).type), " in '", op.input(1).name, "'"),
              ErrorKind::kUnsupported);
  }
  Layer layer{.inputs = {x, op.float_constant(1)}, .filter = {}};
  if (op.has_input(2)) layer.inputs.push_back(op.float_constant(2));
  return layer;
}

/// x, weight, bias; `axis` is the output channel in the weight.
Layer read_layer(OperatorReader& op, int axis) {
  op.expect_inputs(2, 3);
  const ValueId x = op.activation(0);
  return op.is_int8({x}) ? read_int8_layer(op, x, axis) : read_float_layer(op, x);
}

/// The window of a convolution, with the kernel of weights [.,KH,KW,.].
Window with_kernel(const OperatorReader& op, Window window, ValueId weight) {
  const Shape& shape = op.value(weight).shape;
  op.expect(shape.rank() == 4, "wrong shape of the weights", "4 dimensions", shape.to_string());
  window.kernel_h = shape[1];
  window.kernel_w = shape[2];
  return window;
}

// TFLite refuses to prepare a dense layer with a single weight scale whose bias has quite another scale than
// the sums it is added to (kernels/kernel_util.cc, GetQuantizedConvolutionMultipler).
void expect_bias_scale(const OperatorReader& op, ValueId x, const QuantizedFilter& filter) {
  if (filter.scales.size() != 1 || !op.has_input(2)) return;
  constexpr double kMostDifference = 0.02;  // in steps of the output
  const TfliteTensor& bias = op.input(2);
  const float sum_scale = op.params(x).scale * filter.scales[0];
  const float bias_scale = bias.scales.empty() ? 0.0f : bias.scales[0];
  const double difference = std::abs(static_cast<double>(sum_scale) - static_cast<double>(bias_scale));
  op.expect(difference / static_cast<double>(op.params(op.output()).scale) <= kMostDifference,
            "the bias has another scale than the sums it is added to", concat(sum_scale), concat(bias_scale));
}

}  // namespace

void read_conv_2d(OperatorReader& op) {
  const auto& options = op.options<tflite_options::Conv2D>();
  Layer layer = read_layer(op, 0);
  const Window window = with_kernel(op, options.window, layer.inputs[1]);
  op.emit(op::Conv2D{.window = window, .activation = options.activation}, layer.inputs,
          std::move(layer.filter));
}

void read_depthwise_conv_2d(OperatorReader& op) {
  const auto& options = op.options<tflite_options::DepthwiseConv2D>();
  Layer layer = read_layer(op, 3);
  const Window window = with_kernel(op, options.window, layer.inputs[1]);
  const int64_t in_channels = op.value(layer.inputs[0]).shape[-1];
  const int64_t out_channels = op.value(layer.inputs[1]).shape[3];
  // LiteRT takes the multiplier from the shapes, TFLM from the option.
  op.expect(options.multiplier == 0 || options.multiplier * in_channels == out_channels,
            "the depth multiplier does not fit the shapes", concat(out_channels, " / ", in_channels),
            concat(options.multiplier));
  op.emit(op::DepthwiseConv2D{.window = window, .activation = options.activation}, layer.inputs,
          std::move(layer.filter));
}

void read_fully_connected(OperatorReader& op) {
  const auto options = op.options_or_default<tflite_options::FullyConnected>();
  Layer layer = read_layer(op, 0);
  if (!layer.filter.scales.empty()) expect_bias_scale(op, layer.inputs[0], layer.filter);
  const Shape& weight = op.value(layer.inputs[1]).shape;
  op.expect(weight.rank() == 2, "wrong shape of the weights", "2 dimensions", weight.to_string());
  const op::Dense dense{.activation = options.activation};
  const Shape& in = op.value(layer.inputs[0]).shape;
  if (!options.keep_num_dims || (in.rank() == 2 && in[1] == weight[1])) {
    op.emit(dense, layer.inputs, std::move(layer.filter));
    return;
  }
  // [..., I] -> [..., O], for which the graph has a dense layer and a reshape.
  op.expect(in[-1] == weight[1], "wrong number of inputs to the layer", concat(weight[1]), in.to_string());
  std::vector<int64_t> kept(in.begin(), in.end());
  kept.back() = weight[0];
  const ValueId rows = op.emit_before_output(dense, layer.inputs, std::move(layer.filter));
  op.emit(op::Reshape{Shape(kept)}, {rows});
}

}  // namespace qlimit
