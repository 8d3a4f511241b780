#include "quant/quantized_graph.h"

#include <cmath>

#include "core/error.h"
#include "quant/overloaded.h"

namespace qlimit {

GridSource grid_source(const Op& op) {
  return std::visit(Overloaded{[](const op::MaxPool2D&) { return GridSource::kOperand; },
                               [](const op::AveragePool2D&) { return GridSource::kOperand; },
                               [](const op::Reshape&) { return GridSource::kOperand; },
                               [](const op::Pad&) { return GridSource::kOperand; },
                               [](const op::Softmax&) { return GridSource::kFixed; },
                               [](const op::Logistic&) { return GridSource::kFixed; },
                               [](const op::Tanh&) { return GridSource::kFixed; },
                               [](const auto&) { return GridSource::kRange; }},
                    op);
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

/// Whether the integers of a layer with weights are those that its node asks for.
void check_filter(const QuantizedGraph& q, size_t i) {
  const Node& node = q.graph.nodes[i];
  const QuantizedFilter& filter = q.filters[i];
  if (!has_weights(node.op) || !q.is_int8(node.output)) return;
  const Shape& shape = q.graph.value(node.inputs[1]).shape;
  const auto channels = static_cast<size_t>(shape[channel_axis(node.op)]);
  const bool has_scales = filter.scales.size() == 1 || filter.scales.size() == channels;
  if (filter.weight.shape() == shape && filter.bias.size() == channels && has_scales) return;
  throw Error(ErrorKind::kUsage,
              {.what = "the integers of a layer do not fit it",
               .where = q.graph.value(node.output).name,
               .expected = concat("weights ", shape.to_string(), " and ", channels, " biases"),
               .found = concat(filter.weight.shape().to_string(), ", ", filter.bias.size(), " biases and ",
                               filter.scales.size(), " scales")});
}

/// Pools, reshapes and padding copy bytes, which mean the same afterwards on the same grid only.
void check_kept_grid(const QuantizedGraph& q, const Node& node) {
  if (!q.is_int8(node.output) || grid_source(node.op) != GridSource::kOperand) return;
  const AffineParams& operand = q.params_of(node.inputs[0]);
  const AffineParams& result = q.params_of(node.output);
  if (operand == result) return;
  throw Error(ErrorKind::kUsage,
              {.what = concat(op_name(node.op), " has a grid other than its operand's"),
               .where = concat(q.graph.value(node.inputs[0]).name, " -> ", q.graph.value(node.output).name),
               .expected = to_string(operand),
               .found = to_string(result)});
}

/// Whether the numbers fit: kernels clamp to the grid of a result and rely on that of an operand.
void check_grids(const QuantizedGraph& q) {
  for (size_t id = 0; id < q.params.size(); ++id) {
    const AffineParams& params = q.params[id];
    check_bits(params.bits, q.graph.values[id].name.c_str());
    if (!(params.scale > 0) || !std::isfinite(params.scale)) {
      throw Error(ErrorKind::kUsage, {.what = "a scale is not a positive number",
                                      .where = q.graph.values[id].name,
                                      .found = concat(params.scale)});
    }
    if (params.zero_point >= params.low() && params.zero_point <= params.high()) continue;
    throw Error(ErrorKind::kUsage, {.what = "a zero point does not lie on its grid",
                                    .where = q.graph.values[id].name,
                                    .expected = concat(params.low(), " to ", params.high()),
                                    .found = concat(params.zero_point)});
  }
  for (size_t i = 0; i < q.filters.size(); ++i) {
    const QuantizedFilter& filter = q.filters[i];
    const std::string& name = q.graph.value(q.graph.nodes[i].output).name;
    check_filter(q, i);
    check_bits(filter.bits, name.c_str());
    // Models from elsewhere may also use -2^(bits-1).
    const int32_t most = weight_max(filter.bits);
    for (const int8_t w : filter.weight) {
      if (w >= -most - 1 && w <= most) continue;
      throw Error(ErrorKind::kUsage, {.what = "a weight does not lie on its grid",
                                      .where = name,
                                      .expected = concat(filter.bits, " bits"),
                                      .found = concat(int{w})});
    }
  }
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
  check_grids(q);
  for (const Node& node : q.graph.nodes) {
    check_kept_grid(q, node);
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

void check_reference(const char* caller, const QuantizedGraph& q, const Graph& reference) {
  validate(q);
  validate(reference);
  if (same_values(q.graph, reference)) return;
  throw Error(ErrorKind::kUsage,
              {.what = "the integers were made from another graph than the reference", .where = caller});
}

}  // namespace qlimit
