#include "core/error.h"
#include "quant/graph.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

std::string window_text(const Window& w) {
  std::string text =
      concat(" ", w.kernel_h, "x", w.kernel_w, w.padding == Padding::kSame ? " same" : " valid");
  if (w.stride_h != 1 || w.stride_w != 1) text += concat(" stride ", w.stride_h, "x", w.stride_w);
  if (w.dilation_h != 1 || w.dilation_w != 1) text += concat(" dilation ", w.dilation_h, "x", w.dilation_w);
  return text;
}

std::string attributes(const Op& op) {
  return std::visit(Overloaded{[](const op::BatchNorm& o) { return concat(" epsilon ", o.epsilon); },
                               [](const op::Mean& o) {
                                 std::string text = o.axes.size() == 1 ? " axis" : " axes";
                                 for (int axis : o.axes) text += concat(" ", axis);
                                 return text + (o.keep_dims ? " kept" : "");
                               },
                               [](const op::Pad& o) {
                                 std::string text = " by";
                                 for (size_t i = 0; i < o.before.size(); ++i)
                                   text += concat(" ", o.before[i], ":", o.after[i]);
                                 return text;
                               },
                               [](const op::Concatenation& o) { return concat(" axis ", o.axis); },
                               [](const op::Softmax& o) {
                                 return o.beta == 1.0f ? std::string() : concat(" beta ", o.beta);
                               },
                               [](const auto& o) {
                                 if constexpr (requires { o.window; }) return window_text(o.window);
                                 return std::string();
                               }},
                    op);
}

}  // namespace

std::string op_name(const Op& op) {
  return std::visit(
      Overloaded{[](const op::Conv2D&) -> std::string { return "conv2d"; },
                 [](const op::DepthwiseConv2D&) -> std::string { return "depthwise_conv2d"; },
                 [](const op::Dense&) -> std::string { return "dense"; },
                 [](const op::BatchNorm&) -> std::string { return "batch_norm"; },
                 [](const op::MaxPool2D&) -> std::string { return "max_pool2d"; },
                 [](const op::AveragePool2D&) -> std::string { return "average_pool2d"; },
                 [](const op::Mean&) -> std::string { return "mean"; },
                 [](const op::Add&) -> std::string { return "add"; },
                 [](const op::Mul&) -> std::string { return "mul"; },
                 [](const op::Pad&) -> std::string { return "pad"; },
                 [](const op::Concatenation&) -> std::string { return "concatenation"; },
                 [](const op::Clamp& o) -> std::string { return activation_name(o.activation); },
                 [](const op::Logistic&) -> std::string { return "logistic"; },
                 [](const op::Tanh&) -> std::string { return "tanh"; },
                 [](const op::Pointwise& o) -> std::string { return o.name; },
                 [](const op::Softmax&) -> std::string { return "softmax"; },
                 [](const op::Reshape&) -> std::string { return "reshape"; },
                 [](const op::Quantize&) -> std::string { return "quantize"; },
                 [](const op::Dequantize&) -> std::string { return "dequantize"; }},
      op);
}

std::string to_string(const Graph& graph) {
  const Value& input = graph.value(graph.input);
  std::string text = concat(input.name, " ", input.shape.to_string(), "\n");
  for (const Node& node : graph.nodes) {
    text += concat(graph.value(node.output).name, " = ", op_name(node.op), "(");
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value& value = graph.value(node.inputs[i]);
      text += concat(i == 0 ? "" : ", ", value.name);
      if (value.is_constant()) text += concat(" ", value.shape.to_string());
    }
    text += concat(")", attributes(node.op));
    const Activation* activation = fused_activation(node.op);
    if (activation && *activation != Activation::kNone) text += concat(" ", activation_name(*activation));
    text += concat(" -> ", graph.value(node.output).shape.to_string(), "\n");
  }
  return text;
}

}  // namespace qlimit
