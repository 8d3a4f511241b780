#include "quant/training/fake_quantized_model.h"

#include "core/error.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/training/moving_range.h"
#include "quant/training/tape_operations.h"

namespace qlimit {
namespace {

void require_option(bool holds, const char* name, const char* expected, double found) {
  if (holds) return;
  throw Error(ErrorKind::kUsage, {.what = "option of a training with quantization out of range",
                                  .where = name,
                                  .expected = expected,
                                  .found = concat(found)});
}

void check(const FakeQuantizedOptions& o) {
  check_bits(o.weight_bits, "weights");
  check_bits(o.activation_bits, "activations");
  require_option(o.range_smoothing >= 0 && o.range_smoothing < 1, "range_smoothing", "0 or more, below 1",
                 o.range_smoothing);
  require_option(o.batch_norm_momentum > 0 && o.batch_norm_momentum <= 1, "batch_norm_momentum",
                 "above 0, at most 1", o.batch_norm_momentum);
  const bool learns = o.scheme == GridScheme::kLearned;
  require_option(o.range_delay == 0 || (o.range_delay > 0 && !learns), "range_delay",
                 learns ? "0, since learned steps are in use from the first one on" : "0 or more",
                 static_cast<double>(o.range_delay));
  require_option(o.freeze_ranges_after >= 0, "freeze_ranges_after", "0 or more",
                 static_cast<double>(o.freeze_ranges_after));
  require_option(o.freeze_batch_norm_after >= 0, "freeze_batch_norm_after", "0 or more",
                 static_cast<double>(o.freeze_batch_norm_after));
}

/// Whether the numbers of a result are among those of its operand, and so stand on their grid already.
bool stays_on_grid(const Op& op) {
  const bool picks = std::holds_alternative<op::MaxPool2D>(op) || std::holds_alternative<op::Reshape>(op);
  return picks && activation_of(op) == Activation::kNone;
}

}  // namespace

FakeQuantizedModel::FakeQuantizedModel(const Graph& traced, const Tensor<float>& images,
                                       const FakeQuantizedOptions& options)
    : options_(options) {
  check(options);
  const UnfoldedLayers unfolded = unfolded_layers(traced);
  prepare_graph(traced);
  add_filters(unfolded);
  add_grids(images);
  steps_ = add_buffer("steps", Tensor<Real>({1}));
}

void FakeQuantizedModel::prepare_graph(const Graph& traced) {
  graph_ = traced;
  run_passes(graph_);
  require_trainable(graph_);
  for (Node& node : graph_.nodes) {  // layers that share their weights part here
    for (size_t k = operand_count(node); k < node.inputs.size(); ++k) {
      const Value value = graph_.value(node.inputs[k]);
      node.inputs[k] = graph_.add_constant(value.name, value.constant);
    }
  }
  tidy(graph_);
  producers_.assign(graph_.values.size(), -1);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    producers_[static_cast<size_t>(graph_.nodes[i].output)] = static_cast<int>(i);
  }
}

void FakeQuantizedModel::add_filters(const UnfoldedLayers& unfolded) {
  for (const Node& node : graph_.nodes) {
    filters_.push_back(has_weights(node.op) ? make_filter(node, unfolded) : TrainedFilter{.op = node.op});
  }
}

TrainedFilter FakeQuantizedModel::make_filter(const Node& node, const UnfoldedLayers& unfolded) {
  const std::string& name = graph_.value(node.output).name;
  const Tensor<float>& weight = graph_.value(node.inputs[1]).constant;
  TrainedFilter filter;
  filter.op = node.op;
  filter.bits = options_.weight_bits;
  filter.granularity = std::holds_alternative<op::Dense>(node.op) ? options_.dense_weights : options_.weights;
  const auto found = unfolded.find(name);
  if (found != unfolded.end()) {
    const UnfoldedLayer& layer = found->second;
    filter.weight = add_parameter(name + ".weight", layer.weight.clone(), true);
    filter.gamma = add_parameter(name + ".gamma", layer.gamma.clone(), false);
    filter.beta = add_parameter(name + ".beta", layer.beta.clone(), false);
    filter.running_mean = add_buffer(name + ".running_mean", layer.mean.clone());
    filter.running_variance = add_buffer(name + ".running_variance", layer.variance.clone());
    filter.epsilon = layer.epsilon;
  } else {
    filter.weight = add_parameter(name + ".weight", weight.clone(), true);
    if (node.inputs.size() > 2) {
      filter.bias = add_parameter(name + ".bias", graph_.value(node.inputs[2]).constant.clone(), false);
    }
  }
  if (options_.scheme == GridScheme::kMinMax) return filter;
  std::vector<float> steps = weight_half_ranges(weight, channel_axis(node.op), filter.granularity,
                                                filter.bits, {.method = WeightRangeMethod::kMse});
  for (float& step : steps) step /= static_cast<float>(weight_max(filter.bits));
  filter.log_steps = add_parameter(name + ".weight_log_steps", log_of_steps(steps), false);
  return filter;
}

void FakeQuantizedModel::add_grids(const Tensor<float>& images) {
  const CalibrationMethod method =
      options_.scheme == GridScheme::kLearned ? CalibrationMethod::kMse : CalibrationMethod::kMinMax;
  const Ranges ranges = calibrate(FloatExecutor(graph_), images,
                                  {.observer = {.method = method, .bits = options_.activation_bits}});
  const std::vector<int> widths = activation_widths(graph_, options_.activation_bits);
  grid_owners_.assign(graph_.values.size(), -1);
  grids_.resize(graph_.values.size());
  std::vector<AffineParams> first(graph_.values.size());
  const auto own = [&](ValueId id) {
    const auto at = static_cast<size_t>(id);
    const Node* node = producer(id);
    first[at] = node ? result_params(*node, first, ranges[at], widths[at])
                     : activation_params(ranges[at], widths[at]);
    const GridSource source = node ? grid_source(node->op) : GridSource::kRange;
    if (source == GridSource::kOperand) grid_owners_[at] = grid_owners_[static_cast<size_t>(node->inputs[0])];
    if (source != GridSource::kRange) return;
    grid_owners_[at] = id;
    grids_[at] = make_grid(id, ranges[at], first[at]);
  };
  own(graph_.input);
  for (const Node& node : graph_.nodes) own(node.output);
}

FakeQuantizedModel::TrainedGrid FakeQuantizedModel::make_grid(ValueId id, Range range,
                                                              const AffineParams& first) {
  const std::string& name = graph_.value(id).name;
  TrainedGrid grid;
  grid.bits = first.bits;
  // Images have the range they have.
  if (options_.scheme == GridScheme::kMinMax || id == graph_.input) {
    grid.range = add_buffer(name + ".range", Tensor<Real>({2}, {range.min, range.max}));
    return grid;
  }
  grid.log_step = add_parameter(name + ".log_step", log_of_steps({first.scale}), false);
  grid.zero_point =
      add_buffer(name + ".zero_point", Tensor<Real>({1}, {static_cast<Real>(first.zero_point)}));
  return grid;
}

FakeQuantizedModel::Phase FakeQuantizedModel::phase() const {
  if (!training()) return {};
  const int64_t step = steps();
  return {.takes_batch_statistics = step < options_.freeze_batch_norm_after,
          .moves_ranges = options_.scheme == GridScheme::kMinMax && step < options_.freeze_ranges_after,
          .quantizes_activations = step >= options_.range_delay};
}

const Node* FakeQuantizedModel::producer(ValueId id) const {
  const int at = producers_[static_cast<size_t>(id)];
  return at < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(at)];
}

AffineParams FakeQuantizedModel::grid_of(ValueId id, const std::vector<AffineParams>& known) const {
  const TrainedGrid& grid = grids_[static_cast<size_t>(id)];
  if (grid.log_step) {
    return {.scale = step_of(grid.log_step).value()[0],
            .zero_point = static_cast<int32_t>(grid.zero_point[0]),
            .bits = grid.bits};
  }
  const Range range = grid.range.empty() ? Range{} : Range{.min = grid.range[0], .max = grid.range[1]};
  const Node* node = producer(id);
  return node ? result_params(*node, known, range, grid.bits) : activation_params(range, grid.bits);
}

Variable FakeQuantizedModel::computed(size_t i, const std::vector<Variable>& operands,
                                      const Variable& moments, float input_scale) const {
  const Node& node = graph_.nodes[i];
  if (!has_weights(node.op)) return compute_on_tape(node, operands, {});
  const TrainedFilter& filter = filters_[i];
  return compute_on_tape(node, operands, filter.on_grid(filter.folded(moments), input_scale));
}

Variable FakeQuantizedModel::on_grid(ValueId id, const Variable& x, const AffineParams& params) const {
  const Node* node = producer(id);
  if (node && stays_on_grid(node->op)) return x;
  const Activation activation = node ? activation_of(node->op) : Activation::kNone;
  const ValueId owner = grid_owners_[static_cast<size_t>(id)];
  const Variable log_step = owner < 0 ? Variable() : grids_[static_cast<size_t>(owner)].log_step;
  if (!log_step) return fake_quantize(x, params, activation);
  return fake_quantize_learned(x, step_of(log_step), params.zero_point, params.bits, activation);
}

bool FakeQuantizedModel::pools_before_grid(size_t i) const {
  const Activation activation = activation_of(graph_.nodes[i].op);
  return activation != Activation::kNone && is_pooled_by_next(graph_, graph_.nodes[i]);
}

Variable FakeQuantizedModel::forward(const Variable& images) {
  const Phase phase = this->phase();
  std::vector<Variable> values(graph_.values.size());
  std::vector<AffineParams> params(graph_.values.size());
  const auto settle = [&](ValueId id, const Variable& x) {
    const auto at = static_cast<size_t>(id);
    const Node* node = producer(id);
    const Activation activation = node ? activation_of(node->op) : Activation::kNone;
    if (phase.moves_ranges && grid_owners_[at] == id) {
      follow(grids_[at].range, range_of(x.value(), activation), options_.range_smoothing);
    }
    params[at] = grid_of(id, params);
    values[at] = phase.quantizes_activations ? on_grid(id, x, params[at]) : activate(x, activation);
  };
  settle(graph_.input, images);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    std::vector<Variable> operands;
    for (size_t k = 0; k < operand_count(node); ++k) {
      operands.push_back(values[static_cast<size_t>(node.inputs[k])]);
    }
    const Variable moments = phase.takes_batch_statistics
                                 ? filters_[i].follow_batch(operands[0], options_.batch_norm_momentum)
                                 : filters_[i].running_moments();
    const float input_scale = params[static_cast<size_t>(node.inputs[0])].scale;
    const Variable result = computed(i, operands, moments, input_scale);
    if (!pools_before_grid(i)) {
      settle(node.output, result);
      continue;
    }
    const Node& pool = graph_.nodes[++i];
    settle(node.output, compute_on_tape(pool, {result}, {}));
    values[static_cast<size_t>(pool.output)] = values[static_cast<size_t>(node.output)];
    params[static_cast<size_t>(pool.output)] = params[static_cast<size_t>(node.output)];
  }
  if (training()) steps_[0] += 1;
  return values[static_cast<size_t>(graph_.output)];
}

Variable FakeQuantizedModel::evaluate_node(size_t i, const std::vector<Variable>& operands) const {
  const std::vector<AffineParams> params = this->params();
  const Node& node = graph_.nodes[i];
  const float input_scale = params[static_cast<size_t>(node.inputs[0])].scale;
  return on_grid(node.output, computed(i, operands, filters_[i].running_moments(), input_scale),
                 params[static_cast<size_t>(node.output)]);
}

Graph FakeQuantizedModel::folded() const {
  const TapeOff off;
  Graph folded = graph_;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const std::vector<ValueId>& inputs = graph_.nodes[i].inputs;
    if (!has_weights(graph_.nodes[i].op)) continue;
    const FoldedWeights weights = filters_[i].folded(filters_[i].running_moments());
    folded.value(inputs[1]).constant = weights.weight.value().clone();
    if (weights.bias) folded.value(inputs[2]).constant = weights.bias.value().clone();
  }
  return folded;
}

std::vector<AffineParams> FakeQuantizedModel::params() const {
  std::vector<AffineParams> params(graph_.values.size());
  params[static_cast<size_t>(graph_.input)] = grid_of(graph_.input, params);
  for (const Node& node : graph_.nodes) {
    params[static_cast<size_t>(node.output)] = grid_of(node.output, params);
  }
  return params;
}

QuantizedGraph FakeQuantizedModel::convert(Runtime runtime) const {
  const TapeOff off;
  const Graph graph = folded();
  QuantizeOptions options = {.weights = options_.weights,
                             .dense_weights = options_.dense_weights,
                             .runtime = runtime,
                             .weight_bits = options_.weight_bits,
                             .activation_bits = options_.activation_bits,
                             .value_params = params()};
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    options.node_half_ranges.push_back(
        has_weights(graph.nodes[i].op)
            ? filters_[i].half_ranges(graph.value(graph.nodes[i].inputs[1]).constant)
            : std::vector<float>());
  }
  return quantize(graph, Ranges(graph.values.size()), options);
}

}  // namespace qlimit
