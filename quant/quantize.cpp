#include "quant/quantize.h"

#include <algorithm>

#include "core/error.h"
#include "quant/kernels/logistic.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

/// Operations that move or compare numbers without computing new ones: their output counts in the input's
/// steps.
bool keeps_params(const Op& op) {
  return std::holds_alternative<op::MaxPool2D>(op) || std::holds_alternative<op::AveragePool2D>(op) ||
         std::holds_alternative<op::Reshape>(op) || std::holds_alternative<op::Pad>(op);
}

void refuse_what_has_no_integer_form(const Graph& graph, const Node& node) {
  if (std::holds_alternative<op::Concatenation>(node.op)) {
    throw Error(ErrorKind::kUnsupported,
                {.what = "a concatenation cannot be quantized yet: its operands need one scale",
                 .where = graph.value(node.output).name});
  }
  if (!std::holds_alternative<op::BatchNorm>(node.op)) return;
  throw Error(
      ErrorKind::kUnsupported,
      {.what = concat(op_name(node.op), " has no integer form"),
       .where = graph.value(node.output).name,
       .hint = "call run_passes first; a batch norm over [N,C] is folded only if it follows a dense layer "
               "whose output nothing else reads"});
}

AffineParams output_params(const QuantizedGraph& q, const Node& node, const Ranges& ranges) {
  if (keeps_params(node.op)) return q.params[static_cast<size_t>(node.inputs[0])];
  if (std::holds_alternative<op::Softmax>(node.op)) return kSoftmaxParams;
  if (std::holds_alternative<op::Logistic>(node.op)) return int8::kLogisticParams;
  if (std::holds_alternative<op::Tanh>(node.op)) return int8::kTanhParams;
  return activation_params(ranges[static_cast<size_t>(node.output)]);
}

/// A constant that is added or multiplied is quantized by its own range, and stands on its grid from then on.
void quantize_constant_operands(QuantizedGraph& q, const Node& node) {
  for (size_t k = 0; k < operand_count(node); ++k) {
    Value& value = q.graph.value(node.inputs[k]);
    if (!value.is_constant() || value.type == DataType::kInt8) continue;
    const auto [least, most] = std::minmax_element(value.constant.begin(), value.constant.end());
    const AffineParams params = activation_params({*least, *most});
    value.constant = value.constant.clone();
    for (float& x : value.constant) x = dequantize(quantize(x, params), params);
    value.type = DataType::kInt8;
    q.params[static_cast<size_t>(node.inputs[k])] = params;
  }
}

QuantizedFilter filter_of(const QuantizedGraph& q, const Node& node, const QuantizeOptions& options) {
  const Granularity granularity =
      std::holds_alternative<op::Dense>(node.op) ? options.dense_weights : options.weights;
  const Tensor<float>& weight = q.graph.value(node.inputs[1]).constant;
  const Tensor<float> bias =
      node.inputs.size() > 2 ? q.graph.value(node.inputs[2]).constant : Tensor<float>();
  const float input_scale = q.params[static_cast<size_t>(node.inputs[0])].scale;
  return quantize_filter(weight, bias, channel_axis(node.op), granularity, input_scale);
}

}  // namespace

int channel_axis(const Op& op) { return std::holds_alternative<op::DepthwiseConv2D>(op) ? 3 : 0; }

QuantizedGraph quantize(const Graph& graph, const Ranges& ranges, const QuantizeOptions& options) {
  validate(graph);
  if (ranges.size() != graph.values.size()) {
    throw Error(ErrorKind::kUsage, {.what = "the ranges belong to another graph",
                                    .where = "quantize",
                                    .expected = concat(graph.values.size(), " ranges"),
                                    .found = concat(ranges.size()),
                                    .hint = "calibrate after the passes, on the graph that is quantized"});
  }
  QuantizedGraph q{.graph = graph, .params = {}, .filters = {}, .runtime = options.runtime};
  q.params.resize(graph.values.size());
  q.params[static_cast<size_t>(graph.input)] = activation_params(ranges[static_cast<size_t>(graph.input)]);
  q.graph.value(graph.input).type = DataType::kInt8;
  for (const Node& node : graph.nodes) {
    refuse_what_has_no_integer_form(graph, node);
    quantize_constant_operands(q, node);
    q.graph.value(node.output).type = DataType::kInt8;
    q.params[static_cast<size_t>(node.output)] = output_params(q, node, ranges);
    q.filters.push_back(has_weights(node.op) ? filter_of(q, node, options) : QuantizedFilter{});
  }
  return q;
}

namespace {

/// How the types of a node's operands and result may go together.
bool types_fit(DataType operand, DataType result, const Op& op) {
  if (std::holds_alternative<op::Quantize>(op)) return result == DataType::kInt8;
  if (std::holds_alternative<op::Dequantize>(op)) {
    return operand == DataType::kInt8 && result == DataType::kFloat32;
  }
  return operand == result;
}

}  // namespace

void validate(const QuantizedGraph& q) {
  validate(q.graph);
  if (q.params.size() != q.graph.values.size() || q.filters.size() != q.graph.nodes.size()) {
    throw Error(ErrorKind::kUsage, {.what = "parameters and filters do not belong to the graph",
                                    .where = "quantized graph",
                                    .expected = concat(q.graph.values.size(), " and ", q.graph.nodes.size()),
                                    .found = concat(q.params.size(), " and ", q.filters.size())});
  }
  for (const Node& node : q.graph.nodes) {
    const Value& result = q.graph.value(node.output);
    for (size_t k = 0; k < operand_count(node); ++k) {
      const Value& operand = q.graph.value(node.inputs[k]);
      if (types_fit(operand.type, result.type, node.op)) continue;
      throw Error(ErrorKind::kUsage,
                  {.what = concat(op_name(node.op), " has operands or a result of the wrong type"),
                   .where = concat(operand.name, " -> ", result.name)});
    }
  }
}

}  // namespace qlimit
