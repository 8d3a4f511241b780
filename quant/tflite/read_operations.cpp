// The operations without weights.

#include <algorithm>
#include <cmath>

#include "quant/tflite/operator_reader.h"
#include "quant/tflite/schema_generated.h"

namespace qlimit {
namespace {

using tflite::BuiltinOperator;

/// Reads an operation of one activation whose output has the same type.
ValueId only_activation(OperatorReader& op) {
  op.expect_inputs(1, 1);
  const ValueId x = op.activation(0);
  op.is_int8({x});
  return x;
}

template <typename Pool>
void read_pool(OperatorReader& op) {
  constexpr int64_t kMostRows = 4096;  // and columns: keeps the kernels' products of sizes in range
  const auto& options = op.options<tflite_options::Pool2D>();
  const Window& window = options.window;
  if (window.kernel_h > kMostRows || window.kernel_w > kMostRows) {
    op.refuse("the window is too large", concat("at most ", kMostRows, "x", kMostRows),
              concat(window.kernel_h, "x", window.kernel_w), ErrorKind::kUnsupported);
  }
  const ValueId x = only_activation(op);
  op.expect_same_params({x});
  op.emit(Pool{.window = window, .activation = options.activation}, {x});
}

/// An axis of the input, from 0; negative ones count from the last.
int read_axis(const OperatorReader& op, int64_t axis, const Shape& shape) {
  op.expect(axis >= -shape.rank() && axis < shape.rank(), "no such axis",
            concat("one of ", shape.to_string()), concat(axis));
  return static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
}

void read_mean(OperatorReader& op) {
  op.expect_inputs(2, 2);
  const ValueId x = op.activation(0);
  op.is_int8({x});
  op::Mean mean{.axes = {}, .keep_dims = op.options_or_default<tflite_options::Mean>().keep_dims};
  for (const int64_t axis : op.integers(1, 2 * Shape::kMaxRank)) {
    mean.axes.push_back(read_axis(op, axis, op.value(x).shape));
  }
  std::sort(mean.axes.begin(), mean.axes.end());
  mean.axes.erase(std::unique(mean.axes.begin(), mean.axes.end()), mean.axes.end());
  op.emit(mean, {x});
}

template <typename Arithmetic, typename Options>
void read_arithmetic(OperatorReader& op) {
  op.expect_inputs(2, 2);
  const std::vector<ValueId> operands = {op.operand(0), op.operand(1)};
  op.is_int8(operands);
  if (op.value(operands[0]).is_constant() && op.value(operands[1]).is_constant()) {
    op.refuse("the operation is computed from constants alone", "", "", ErrorKind::kUnsupported);
  }
  op.emit(Arithmetic{.activation = op.options_or_default<Options>().activation}, operands);
}

void read_concatenation(OperatorReader& op) {
  op.expect_inputs(1, kMostOperands);
  std::vector<ValueId> operands;
  for (size_t i = 0; i < op.inputs(); ++i) operands.push_back(op.operand(i));
  op.expect_same_params(operands);
  if (std::all_of(operands.begin(), operands.end(), [&](ValueId id) { return op.value(id).is_constant(); })) {
    op.refuse("the operation is computed from constants alone", "", "", ErrorKind::kUnsupported);
  }
  const auto options = op.options_or_default<tflite_options::Concatenation>();
  if (options.activation != Activation::kNone) {
    op.refuse("a concatenation with a fused activation is not supported", "", "", ErrorKind::kUnsupported);
  }
  op.emit(op::Concatenation{.axis = read_axis(op, options.axis, op.value(operands[0]).shape)}, operands);
}

void read_pad(OperatorReader& op) {
  op.expect_inputs(2, 2);
  const ValueId x = op.activation(0);
  op.expect_same_params({x});
  const int rank = op.value(x).shape.rank();
  const std::vector<int64_t> numbers = op.integers(1, 2 * Shape::kMaxRank);
  const std::vector<int64_t> expected = {rank, 2};
  op.expect(op.input(1).shape == expected, "wrong shape of the paddings", concat("[", rank, ",2]"),
            concat(numbers.size(), " numbers"));
  op::Pad pad;
  for (size_t axis = 0; axis < static_cast<size_t>(rank); ++axis) {
    pad.before[axis] = numbers[2 * axis];
    pad.after[axis] = numbers[2 * axis + 1];
    for (const int64_t padding : {pad.before[axis], pad.after[axis]}) {
      op.expect(padding >= 0 && padding <= TfliteModel::kMaxElements, "a padding is out of range",
                concat("0 to ", TfliteModel::kMaxElements), concat(padding));
    }
  }
  op.emit(pad, {x});
}

/// The new shape: the second input, or else the option. One number may be -1: what is left over. Where the
/// batch is open, TensorFlow's converter has the shape computed while the model runs (SHAPE, STRIDED_SLICE,
/// PACK); then what the file says about the output is the shape for the written batch.
std::vector<int64_t> target_shape(const OperatorReader& op, int64_t elements) {
  std::vector<int64_t> shape;
  if (!op.has_input(1)) {
    shape = op.options_or_default<tflite_options::Reshape>().shape;
  } else if (op.input(1).is_constant()) {
    shape = op.integers(1, TfliteModel::kMaxRank);
  } else {
    if (op.output().elements != elements) {
      op.refuse("the new shape is computed while the model runs, and the file does not say it", "",
                concat(op.output().elements, " elements of ", elements), ErrorKind::kUnsupported);
    }
    shape = op.output().shape;
  }
  if (shape == std::vector<int64_t>{0}) shape = {1};  // an old way to write a single number
  const auto open = std::find(shape.begin(), shape.end(), -1);
  int64_t known = 1;
  for (auto dim = shape.begin(); dim != shape.end(); ++dim) {
    if (dim == open) continue;
    op.expect(*dim >= 1 && *dim <= elements / known, "the new shape does not fit the input",
              concat(elements, " elements"), concat("dimension ", *dim));
    known *= *dim;
  }
  if (open != shape.end()) *open = elements / known;
  if (shape.empty()) shape = {1};
  return shape;
}

void read_reshape(OperatorReader& op) {
  op.expect_inputs(1, 2);
  const ValueId x = op.activation(0);
  op.expect_same_params({x});
  const std::vector<int64_t> shape = target_shape(op, op.value(x).shape.size());
  op.expect(shape.size() <= Shape::kMaxRank, "the new shape has too many dimensions",
            concat("at most ", Shape::kMaxRank), concat(shape.size()));
  op.emit(op::Reshape{Shape(shape)}, {x});
}

void read_softmax(OperatorReader& op) {
  const ValueId x = only_activation(op);
  const float beta = op.options<tflite_options::Softmax>().beta;
  op.expect(std::isfinite(beta) && beta > 0, "beta is not a positive number", "", concat(beta));
  if (op.is_int8({x})) {
    const AffineParams out = op.params(op.output());
    const bool fits = out.zero_point == kSoftmaxParams.zero_point &&
                      std::abs(out.scale - kSoftmaxParams.scale) <= 0.001f * kSoftmaxParams.scale;
    op.expect(fits, "the output has a fixed scale and zero point", "1/256 and -128",
              concat(out.scale, " and ", out.zero_point));
  }
  op.emit(op::Softmax{.beta = beta}, {x});
}

void read_logistic(OperatorReader& op) {
  const ValueId x = only_activation(op);
  if (op.is_int8({x})) {
    const float scale = op.params(op.output()).scale;
    op.expect(scale == 1.0f / 256.0f, "the output has a fixed scale", "1/256", concat(scale));
  }
  op.emit(op::Logistic{}, {x});
}

void read_tanh(OperatorReader& op) { op.emit(op::Tanh{}, {only_activation(op)}); }

template <Activation activation>
void read_clamp(OperatorReader& op) {
  op.emit(op::Clamp{.activation = activation}, {only_activation(op)});
}

void read_quantize(OperatorReader& op) {
  op.expect_inputs(1, 1);
  const ValueId x = op.activation(0);
  if (op.output().type != TfliteType::kInt8) {
    op.refuse("the output has a type that is not supported", "INT8", to_string(op.output().type),
              ErrorKind::kUnsupported);
  }
  op.emit(op::Quantize{}, {x});
}

void read_dequantize(OperatorReader& op) {
  op.expect_inputs(1, 1);
  const TfliteTensor& from = op.input(0);
  if (from.type != TfliteType::kInt8 || op.output().type != TfliteType::kFloat32) {
    op.refuse("types that are not supported", "INT8 -> FLOAT32",
              concat(to_string(from.type), " -> ", to_string(op.output().type)), ErrorKind::kUnsupported);
  }
  if (!from.is_constant()) {
    op.emit(op::Dequantize{}, {op.activation(0)});
    return;
  }
  op.expect(!from.scales.empty(), "an INT8 tensor needs a scale", "", concat("'", from.name, "'"));
  op.graph().spend(from.elements);
  op.fold(dequantized(from, numbers_of<int8_t>(from, graph_shape(from, op.graph(), op.where()))));
}

struct Operation {
  BuiltinOperator code;
  ReadOperation read;
};

constexpr Operation kOperations[] = {
    {BuiltinOperator::ADD, read_arithmetic<op::Add, tflite_options::Add>},
    {BuiltinOperator::AVERAGE_POOL_2D, read_pool<op::AveragePool2D>},
    {BuiltinOperator::CONCATENATION, read_concatenation},
    {BuiltinOperator::CONV_2D, read_conv_2d},
    {BuiltinOperator::DEPTHWISE_CONV_2D, read_depthwise_conv_2d},
    {BuiltinOperator::DEQUANTIZE, read_dequantize},
    {BuiltinOperator::FULLY_CONNECTED, read_fully_connected},
    {BuiltinOperator::LOGISTIC, read_logistic},
    {BuiltinOperator::MAX_POOL_2D, read_pool<op::MaxPool2D>},
    {BuiltinOperator::MEAN, read_mean},
    {BuiltinOperator::MUL, read_arithmetic<op::Mul, tflite_options::Mul>},
    {BuiltinOperator::PAD, read_pad},
    {BuiltinOperator::QUANTIZE, read_quantize},
    {BuiltinOperator::RELU, read_clamp<Activation::kRelu>},
    {BuiltinOperator::RELU6, read_clamp<Activation::kRelu6>},
    {BuiltinOperator::RELU_N1_TO_1, read_clamp<Activation::kReluN1To1>},
    {BuiltinOperator::RESHAPE, read_reshape},
    {BuiltinOperator::SOFTMAX, read_softmax},
    {BuiltinOperator::TANH, read_tanh},
};

}  // namespace

ReadOperation find_operation(int32_t code) {
  const auto* const found =
      std::find_if(std::begin(kOperations), std::end(kOperations),
                   [&](const Operation& o) { return static_cast<int32_t>(o.code) == code; });
  return found == std::end(kOperations) ? nullptr : found->read;
}

bool is_new_shape(const TfliteOperator& op, size_t i) {
  return op.code == static_cast<int32_t>(BuiltinOperator::RESHAPE) && i == 1;
}

std::string supported_operations() {
  std::string names;
  for (const Operation& operation : kOperations) {
    names += concat(names.empty() ? "" : ", ", tflite::EnumNameBuiltinOperator(operation.code));
  }
  return names;
}

}  // namespace qlimit
