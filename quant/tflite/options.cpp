#include "quant/tflite/options.h"

#include "core/error.h"

namespace qlimit {
namespace {

Padding decode(tflite::Padding padding, const std::string& where) {
  switch (padding) {
    case tflite::Padding::SAME:
      return Padding::kSame;
    case tflite::Padding::VALID:
      return Padding::kValid;
  }
  throw Error(ErrorKind::kData, {.what = "unknown padding",
                                 .where = where,
                                 .expected = "0 (SAME) or 1 (VALID)",
                                 .found = concat(static_cast<int>(padding))});
}

Activation decode(tflite::ActivationFunctionType activation, const std::string& where) {
  switch (activation) {
    case tflite::ActivationFunctionType::NONE:
      return Activation::kNone;
    case tflite::ActivationFunctionType::RELU:
      return Activation::kRelu;
    case tflite::ActivationFunctionType::RELU6:
      return Activation::kRelu6;
    case tflite::ActivationFunctionType::RELU_N1_TO_1:
      return Activation::kReluN1To1;
    case tflite::ActivationFunctionType::TANH:
    case tflite::ActivationFunctionType::SIGN_BIT:
      break;
  }
  const std::string name = tflite::EnumNameActivationFunctionType(activation);
  throw Error(name.empty() ? ErrorKind::kData : ErrorKind::kUnsupported,
              {.what = "a fused activation that is not supported",
               .where = where,
               .expected = "NONE, RELU, RELU6 or RELU_N1_TO_1",
               .found = name.empty() ? concat(static_cast<int>(activation)) : name});
}

// The options that convolutions share.
template <typename Options>
Window conv_window(const Options& options, const std::string& where) {
  return {.stride_h = options.stride_h(),
          .stride_w = options.stride_w(),
          .dilation_h = options.dilation_h_factor(),
          .dilation_w = options.dilation_w_factor(),
          .padding = decode(options.padding(), where)};
}

tflite_options::Conv2D decode(const tflite::Conv2DOptions& o, const std::string& where) {
  return {.window = conv_window(o, where), .activation = decode(o.fused_activation_function(), where)};
}

tflite_options::DepthwiseConv2D decode(const tflite::DepthwiseConv2DOptions& o, const std::string& where) {
  return {.window = conv_window(o, where),
          .activation = decode(o.fused_activation_function(), where),
          .multiplier = o.depth_multiplier()};
}

tflite_options::Pool2D decode(const tflite::Pool2DOptions& o, const std::string& where) {
  return {.window = {.kernel_h = o.filter_height(),
                     .kernel_w = o.filter_width(),
                     .stride_h = o.stride_h(),
                     .stride_w = o.stride_w(),
                     .padding = decode(o.padding(), where)},
          .activation = decode(o.fused_activation_function(), where)};
}

tflite_options::FullyConnected decode(const tflite::FullyConnectedOptions& o, const std::string& where) {
  if (o.weights_format() != tflite::FullyConnectedOptionsWeightsFormat::DEFAULT) {
    throw Error(ErrorKind::kUnsupported, {.what = "weights in a shuffled order are not supported",
                                          .where = where,
                                          .found = concat("format ", static_cast<int>(o.weights_format()))});
  }
  return {.activation = decode(o.fused_activation_function(), where), .keep_num_dims = o.keep_num_dims()};
}

tflite_options::Reshape decode(const tflite::ReshapeOptions& o, const std::string& where) {
  if (o.new_shape() == nullptr) return {};
  if (o.new_shape()->size() > TfliteModel::kMaxRank) {
    throw Error(ErrorKind::kData, {.what = "a shape has too many dimensions",
                                   .where = where,
                                   .expected = concat("at most ", TfliteModel::kMaxRank),
                                   .found = concat(o.new_shape()->size())});
  }
  return {.shape = {o.new_shape()->begin(), o.new_shape()->end()}};
}

}  // namespace

TfliteOptions decode_options(const tflite::Operator& op, const std::string& where) {
  if (const auto* o = op.builtin_options_as_Conv2DOptions()) return decode(*o, where);
  if (const auto* o = op.builtin_options_as_DepthwiseConv2DOptions()) return decode(*o, where);
  if (const auto* o = op.builtin_options_as_Pool2DOptions()) return decode(*o, where);
  if (const auto* o = op.builtin_options_as_FullyConnectedOptions()) return decode(*o, where);
  if (const auto* o = op.builtin_options_as_ReshapeOptions()) return decode(*o, where);
  if (const auto* o = op.builtin_options_as_SoftmaxOptions())
    return tflite_options::Softmax{.beta = o->beta()};
  if (const auto* o = op.builtin_options_as_ReducerOptions()) {
    return tflite_options::Mean{.keep_dims = o->keep_dims()};
  }
  if (const auto* o = op.builtin_options_as_AddOptions()) {
    return tflite_options::Add{.activation = decode(o->fused_activation_function(), where)};
  }
  if (const auto* o = op.builtin_options_as_MulOptions()) {
    return tflite_options::Mul{.activation = decode(o->fused_activation_function(), where)};
  }
  if (const auto* o = op.builtin_options_as_ConcatenationOptions()) {
    return tflite_options::Concatenation{.axis = o->axis(),
                                         .activation = decode(o->fused_activation_function(), where)};
  }
  return tflite_options::None{};
}

}  // namespace qlimit
