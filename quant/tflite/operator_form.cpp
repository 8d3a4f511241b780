#include "quant/tflite/operator_form.h"

#include <algorithm>
#include <limits>
#include <string>
#include <variant>

#include "core/error.h"

namespace qlimit::tflite {
namespace {

int32_t to_int32(int64_t x) {
  if (x >= std::numeric_limits<int32_t>::min() && x <= std::numeric_limits<int32_t>::max()) {
    return static_cast<int32_t>(x);
  }
  throw Error(ErrorKind::kUnsupported,
              {.what = "a number does not fit the int32 of a .tflite file", .found = concat(x)});
}

Padding padding_of(const Window& window) {
  return window.padding == qlimit::Padding::kSame ? Padding::SAME : Padding::VALID;
}

ActivationFunctionType fused(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return ActivationFunctionType::NONE;
    case Activation::kRelu:
      return ActivationFunctionType::RELU;
    case Activation::kRelu6:
      return ActivationFunctionType::RELU6;
    case Activation::kReluN1To1:
      return ActivationFunctionType::RELU_N1_TO_1;
  }
  return ActivationFunctionType::NONE;
}

/// Finds the form of a node.
class FormOf {
 public:
  FormOf(const QuantizedGraph& q, size_t node, SharingBuilder& file)
      : q_(q), node_(q.graph.nodes[node]), filter_(q.filters[node]), file_(file) {}

  OperatorForm operator()(const op::Conv2D& o) const {
    const Window& w = o.window;
    const bool grouped = input(0).shape[3] != input(1).shape[3];
    return {.code = BuiltinOperator::CONV_2D,
            .float_version = grouped ? 6 : 1,
            .int8_version = grouped            ? 6
                            : is_int4(filter_) ? 7
                                               : 3,
            .options_type = BuiltinOptions::Conv2DOptions,
            .options = file_.options([&](auto& to) {
              return CreateConv2DOptions(to, padding_of(w), to_int32(w.stride_w), to_int32(w.stride_h),
                                         fused(o.activation), to_int32(w.dilation_w), to_int32(w.dilation_h));
            })};
  }
  OperatorForm operator()(const op::DepthwiseConv2D& o) const {
    const Window& w = o.window;
    const int64_t multiplier = input(1).shape[3] / input(0).shape[3];
    const bool dilated = w.dilation_h != 1 || w.dilation_w != 1;
    return {.code = BuiltinOperator::DEPTHWISE_CONV_2D,
            .float_version = dilated ? 2 : 1,
            .int8_version = is_int4(filter_) ? 7 : 3,
            .options_type = BuiltinOptions::DepthwiseConv2DOptions,
            .options = file_.options([&](auto& to) {
              return CreateDepthwiseConv2DOptions(
                  to, padding_of(w), to_int32(w.stride_w), to_int32(w.stride_h), to_int32(multiplier),
                  fused(o.activation), to_int32(w.dilation_w), to_int32(w.dilation_h));
            })};
  }
  OperatorForm operator()(const op::Dense& o) const {
    const bool has_bias = wants_bias(node_, filter_);
    return {.code = BuiltinOperator::FULLY_CONNECTED,
            .float_version = has_bias ? 1 : 6,
            .int8_version = !has_bias          ? 6
                            : is_int4(filter_) ? 10
                                               : 4,
            .options_type = BuiltinOptions::FullyConnectedOptions,
            .options = file_.options(
                [&](auto& to) { return CreateFullyConnectedOptions(to, fused(o.activation)); })};
  }
  OperatorForm operator()(const op::MaxPool2D& o) const {
    return pool(BuiltinOperator::MAX_POOL_2D, o.window, o.activation);
  }
  OperatorForm operator()(const op::AveragePool2D& o) const {
    return pool(BuiltinOperator::AVERAGE_POOL_2D, o.window, o.activation);
  }
  OperatorForm operator()(const op::Mean& o) const {
    if (o.axes.empty()) refuse("a mean over no axes");
    return {.code = BuiltinOperator::MEAN,
            .options_type = BuiltinOptions::ReducerOptions,
            .options = file_.options([&](auto& to) { return CreateReducerOptions(to, o.keep_dims); }),
            .attributes = {o.axes.begin(), o.axes.end()},
            .attributes_shape = {static_cast<int64_t>(o.axes.size())}};
  }
  OperatorForm operator()(const op::Add& o) const {
    return {.code = BuiltinOperator::ADD,
            .options_type = BuiltinOptions::AddOptions,
            .options = file_.options([&](auto& to) { return CreateAddOptions(to, fused(o.activation)); })};
  }
  OperatorForm operator()(const op::Mul& o) const {
    const auto scale = [&](ValueId id) { return q_.params_of(id).scale; };
    const float rescale = scale(node_.inputs[0]) * scale(node_.inputs[1]) / scale(node_.output);
    return {.code = BuiltinOperator::MUL,
            .int8_version = rescale >= 1 ? 3 : 2,
            .options_type = BuiltinOptions::MulOptions,
            .options = file_.options([&](auto& to) { return CreateMulOptions(to, fused(o.activation)); })};
  }
  OperatorForm operator()(const op::Pad& o) const {
    const int rank = input(0).shape.rank();
    OperatorForm form{.code = BuiltinOperator::PAD,
                      .options_type = BuiltinOptions::PadOptions,
                      .options = file_.options([&](auto& to) { return CreatePadOptions(to); }),
                      .attributes_shape = {rank, 2}};
    for (size_t axis = 0; axis < static_cast<size_t>(rank); ++axis) {
      form.attributes.push_back(to_int32(o.before[axis]));
      form.attributes.push_back(to_int32(o.after[axis]));
    }
    return form;
  }
  OperatorForm operator()(const op::Concatenation& o) const {
    return {.code = BuiltinOperator::CONCATENATION,
            .options_type = BuiltinOptions::ConcatenationOptions,
            .options = file_.options([&](auto& to) { return CreateConcatenationOptions(to, o.axis); })};
  }
  OperatorForm operator()(const op::Clamp& o) const {
    switch (o.activation) {
      case Activation::kRelu:
        return {.code = BuiltinOperator::RELU};
      case Activation::kRelu6:
        return {.code = BuiltinOperator::RELU6};
      case Activation::kReluN1To1:
        return {.code = BuiltinOperator::RELU_N1_TO_1, .int8_version = 1};
      case Activation::kNone:
        break;
    }
    refuse("a clamp without bounds");
  }
  OperatorForm operator()(const op::Logistic&) const { return {.code = BuiltinOperator::LOGISTIC}; }
  OperatorForm operator()(const op::Tanh&) const { return {.code = BuiltinOperator::TANH}; }
  OperatorForm operator()(const op::Softmax& o) const {
    return {.code = BuiltinOperator::SOFTMAX,
            .options_type = BuiltinOptions::SoftmaxOptions,
            .options = file_.options([&](auto& to) { return CreateSoftmaxOptions(to, o.beta); })};
  }
  OperatorForm operator()(const op::Reshape& o) const {
    // The first dimension is left open, so that whoever runs the file may change the batch.
    std::vector<int32_t> shape = dims(o.shape);
    if (shape.size() > 1 && o.shape.size() > 0) shape[0] = -1;
    const auto new_shape = file_.ints(shape);
    return {.code = BuiltinOperator::RESHAPE,
            .int8_version = 1,
            .options_type = BuiltinOptions::ReshapeOptions,
            .options = CreateReshapeOptions(file_.flat(), new_shape).Union()};
  }
  OperatorForm operator()(const op::Quantize&) const {
    return {.code = BuiltinOperator::QUANTIZE,
            .int8_version = 1,
            .options_type = BuiltinOptions::QuantizeOptions,
            .options = file_.options([&](auto& to) { return CreateQuantizeOptions(to); })};
  }
  OperatorForm operator()(const op::Dequantize&) const {
    return {.code = BuiltinOperator::DEQUANTIZE,
            .float_version = 2,
            .options_type = BuiltinOptions::DequantizeOptions,
            .options = file_.options([&](auto& to) { return CreateDequantizeOptions(to); })};
  }
  OperatorForm operator()(const op::BatchNorm&) const {
    refuse("batch norm", "call run_passes first, which folds it into the layer before it");
  }
  OperatorForm operator()(const op::Pointwise& o) const { refuse("the element-wise function " + o.name); }

 private:
  const Value& input(size_t i) const { return q_.graph.value(node_.inputs[i]); }

  OperatorForm pool(BuiltinOperator code, const Window& w, Activation activation) const {
    return {
        .code = code, .options_type = BuiltinOptions::Pool2DOptions, .options = file_.options([&](auto& to) {
          return CreatePool2DOptions(to, padding_of(w), to_int32(w.stride_w), to_int32(w.stride_h),
                                     to_int32(w.kernel_w), to_int32(w.kernel_h), fused(activation));
        })};
  }

  [[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) const {
    throw Error(ErrorKind::kUnsupported, {.what = what + " has no form in a .tflite file",
                                          .where = q_.graph.value(node_.output).name,
                                          .hint = hint});
  }

  const QuantizedGraph& q_;
  const Node& node_;
  const QuantizedFilter& filter_;
  SharingBuilder& file_;
};

}  // namespace

std::vector<int32_t> dims(const Shape& shape) {
  std::vector<int32_t> result;
  for (int64_t dim : shape) result.push_back(to_int32(dim));
  return result;
}

bool wants_bias(const Node& node, const QuantizedFilter& filter) {
  return node.inputs.size() > 2 || !std::holds_alternative<op::Dense>(node.op) ||
         std::any_of(filter.bias.begin(), filter.bias.end(), [](int32_t b) { return b != 0; });
}

OperatorForm operator_form(const QuantizedGraph& graph, size_t node, SharingBuilder& file) {
  return std::visit(FormOf(graph, node, file), graph.graph.nodes[node].op);
}

}  // namespace qlimit::tflite
