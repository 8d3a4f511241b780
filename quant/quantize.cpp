#include "quant/quantize.h"

#include "core/error.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

/// Operations that move or compare numbers without computing new ones: their output counts in the input's
/// steps.
bool keeps_params(const Op& op) {
  return std::holds_alternative<op::MaxPool2D>(op) || std::holds_alternative<op::AveragePool2D>(op) ||
         std::holds_alternative<op::Reshape>(op);
}

bool has_weights(const Op& op) {
  return std::holds_alternative<op::Conv2D>(op) || std::holds_alternative<op::DepthwiseConv2D>(op) ||
         std::holds_alternative<op::Dense>(op);
}

void refuse_what_has_no_integer_form(const Graph& graph, const Node& node) {
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
  return activation_params(ranges[static_cast<size_t>(node.output)]);
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
  QuantizedGraph q{.graph = graph, .params = {}, .filters = {}, .rounding = options.rounding};
  q.params.resize(graph.values.size());
  q.params[static_cast<size_t>(graph.input)] = activation_params(ranges[static_cast<size_t>(graph.input)]);
  for (const Node& node : graph.nodes) {
    refuse_what_has_no_integer_form(graph, node);
    q.params[static_cast<size_t>(node.output)] = output_params(q, node, ranges);
    q.filters.push_back(has_weights(node.op) ? filter_of(q, node, options) : QuantizedFilter{});
  }
  return q;
}

}  // namespace qlimit
