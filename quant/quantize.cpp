#include "quant/quantize.h"

#include <algorithm>

#include "core/error.h"
#include "quant/kernels/logistic.h"

namespace qlimit {
namespace {

void refuse_what_has_no_integer_form(const Graph& graph, const Node& node) {
  if (std::holds_alternative<op::Concatenation>(node.op)) {
    throw Error(ErrorKind::kUnsupported,
                {.what = "a concatenation cannot be quantized yet: its operands need one scale",
                 .where = graph.value(node.output).name});
  }
  if (std::holds_alternative<op::Dequantize>(node.op)) {
    throw Error(ErrorKind::kUnsupported,
                {.what = "dequantize gives floats, and is no part of an integer graph",
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

/// A constant that is added or multiplied is quantized by its own range, and stands on its grid from then on.
void quantize_constant_operands(QuantizedGraph& q, const Node& node, const std::vector<int>& widths) {
  for (size_t k = 0; k < operand_count(node); ++k) {
    Value& value = q.graph.value(node.inputs[k]);
    if (!value.is_constant() || value.type == DataType::kInt8) continue;
    const auto [least, most] = std::minmax_element(value.constant.begin(), value.constant.end());
    const AffineParams params =
        activation_params({*least, *most}, widths[static_cast<size_t>(node.inputs[k])]);
    value.constant = value.constant.clone();
    for (float& x : value.constant) x = dequantize(quantize(x, params), params);
    value.type = DataType::kInt8;
    q.params[static_cast<size_t>(node.inputs[k])] = params;
  }
}

/// Of the weights and biases as `graph` has them: q's are on the grid of activations where they are operands, too.
QuantizedFilter filter_of(const Graph& graph, const QuantizedGraph& q, size_t i,
                          const QuantizeOptions& options) {
  const Node& node = graph.nodes[i];
  const Granularity granularity =
      std::holds_alternative<op::Dense>(node.op) ? options.dense_weights : options.weights;
  const Tensor<float>& weight = graph.value(node.inputs[1]).constant;
  const Tensor<float> bias = node.inputs.size() > 2 ? graph.value(node.inputs[2]).constant : Tensor<float>();
  const float input_scale = q.params[static_cast<size_t>(node.inputs[0])].scale;
  const int bits = options.node_weight_bits.empty() ? options.weight_bits : options.node_weight_bits[i];
  const int axis = channel_axis(node.op);
  const std::vector<float> half_ranges =
      options.node_half_ranges.empty()
          ? weight_half_ranges(weight, axis, granularity, bits, options.weight_range)
          : options.node_half_ranges[i];
  return quantize_filter(weight, bias, axis, half_ranges, input_scale, bits);
}

/// An option for each node or each value is complete, or empty.
void check_count(const char* what, const char* owners, size_t count, size_t expected) {
  if (count == 0 || count == expected) return;
  throw Error(ErrorKind::kUsage,
              {.what = concat("the ", what, " of the ", owners, " belong to another graph"),
               .where = "quantize",
               .expected = concat(expected, " ", what),
               .found = concat(count)});
}

void check_sizes(const Graph& graph, const Ranges& ranges, const QuantizeOptions& options) {
  if (ranges.size() != graph.values.size()) {
    throw Error(ErrorKind::kUsage, {.what = "the ranges belong to another graph",
                                    .where = "quantize",
                                    .expected = concat(graph.values.size(), " ranges"),
                                    .found = concat(ranges.size()),
                                    .hint = "calibrate after the passes, on the graph that is quantized"});
  }
  check_count("widths", "nodes", options.node_weight_bits.size(), graph.nodes.size());
  check_count("widths", "values", options.value_bits.size(), graph.values.size());
  check_count("grids", "values", options.value_params.size(), graph.values.size());
  check_count("half ranges", "nodes", options.node_half_ranges.size(), graph.nodes.size());
  for (const int bits : options.value_bits) check_bits(bits, "value_bits");
}

}  // namespace

AffineParams result_params(const Node& node, const std::vector<AffineParams>& params, Range range, int bits) {
  const auto operand = [&](size_t k) { return params[static_cast<size_t>(node.inputs[k])]; };
  if (grid_source(node.op) == GridSource::kOperand) return operand(0);
  if (std::holds_alternative<op::Softmax>(node.op)) return kSoftmaxParams;
  if (std::holds_alternative<op::Logistic>(node.op)) return int8::kLogisticParams;
  if (std::holds_alternative<op::Tanh>(node.op)) return int8::kTanhParams;
  AffineParams result = activation_params(range, bits);
  if (std::holds_alternative<op::Add>(node.op)) {
    // Steps have to be above 2^-19 of the larger operand's (int8::prepare_add); a sum that is always 0 has finer ones.
    const float finest = std::max(operand(0).scale, operand(1).scale) / (1 << 19);
    if (result.scale <= finest) result.scale = 2 * finest;
  }
  return result;
}

std::vector<int> activation_widths(const Graph& graph, int bits) {
  check_bits(bits, "activations");
  std::vector<int> widths(graph.values.size(), bits);
  const auto width = [&](ValueId id) -> int& { return widths[static_cast<size_t>(id)]; };
  width(graph.input) = width(graph.output) = kMostBits;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool is_final = width(node->output) == kMostBits;
    if (is_final && grid_source(node->op) != GridSource::kRange) width(node->inputs[0]) = kMostBits;
  }
  for (const Node& node : graph.nodes) {
    const GridSource source = grid_source(node.op);
    if (source == GridSource::kOperand) width(node.output) = width(node.inputs[0]);
    if (source == GridSource::kFixed) width(node.output) = kMostBits;
  }
  return widths;
}

QuantizedGraph quantize(const Graph& graph, const Ranges& ranges, const QuantizeOptions& options) {
  validate(graph);
  check_sizes(graph, ranges, options);
  const std::vector<int> widths =
      options.value_bits.empty() ? activation_widths(graph, options.activation_bits) : options.value_bits;
  QuantizedGraph q{.graph = graph, .params = {}, .filters = {}, .runtime = options.runtime};
  q.params.resize(graph.values.size());
  for (Value& value : q.graph.values) value.type = DataType::kFloat32;  // of integers read from a file, too
  const auto set_params = [&](ValueId id, const AffineParams& from_range) {
    const auto at = static_cast<size_t>(id);
    q.params[at] = options.value_params.empty() ? from_range : options.value_params[at];
    q.graph.value(id).type = DataType::kInt8;
  };
  set_params(graph.input, activation_params(ranges[static_cast<size_t>(graph.input)],
                                            widths[static_cast<size_t>(graph.input)]));
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    refuse_what_has_no_integer_form(graph, node);
    quantize_constant_operands(q, node, widths);
    const auto at = static_cast<size_t>(node.output);
    set_params(node.output, result_params(node, q.params, ranges[at], widths[at]));
    q.filters.push_back(has_weights(node.op) ? filter_of(graph, q, i, options) : QuantizedFilter{});
  }
  return q;
}

}  // namespace qlimit
