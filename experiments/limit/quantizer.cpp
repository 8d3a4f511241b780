#include "experiments/limit/quantizer.h"

#include <algorithm>
#include <numeric>

#include "experiments/quantization.h"
#include "quant/calibrate.h"
#include "quant/cost.h"
#include "quant/passes.h"
#include "quant/remedies/adaround.h"
#include "quant/remedies/correct_bias.h"
#include "quant/remedies/correct_bias_analytically.h"
#include "quant/remedies/equalize.h"

namespace qlimit {
namespace {

Dataset drawn(const Dataset& train, int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(train.size()));
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, "calibration");
  random.shuffle(order);
  order.resize(static_cast<size_t>(std::min(count, train.size())));
  return select(train, order);
}

// Whether an observer's answer depends on the bits that it is asked for.
bool depends_on_bits(CalibrationMethod method) {
  return method == CalibrationMethod::kMse || method == CalibrationMethod::kEntropy;
}

}  // namespace

Quantizer::Quantizer(TrainedNet net, const StudyData& data, int64_t calibration_images)
    : net_(std::move(net)),
      data_(data),
      calibration_(drawn(data.train, calibration_images, net_.key.seed)),
      images_(first_images(calibration_, data.normalization, calibration_.size())),
      plain_(make_source(false)) {}

Quantizer::Source Quantizer::make_source(bool equalizes) const {
  Graph graph = net_.traced();
  Source source{.executor = nullptr, .moments = batch_norm_moments(graph), .ranges = {}};
  run_passes(graph);
  if (equalizes) rescale(source.moments, equalize(graph));
  source.executor = std::make_shared<const FloatExecutor>(std::move(graph));
  return source;
}

Quantizer::Source& Quantizer::source(bool equalizes) {
  if (!equalizes) return plain_;
  if (!equalized_) equalized_ = make_source(true);
  return *equalized_;
}

const Ranges& Quantizer::ranges(Source& source, CalibrationMethod method, int bits) {
  if (!depends_on_bits(method)) bits = kMostBits;
  const std::pair key(method, bits);
  const auto known = source.ranges.find(key);
  if (known != source.ranges.end()) return known->second;
  const CalibrationOptions options = {.observer = {.method = method, .bits = bits}};
  return source.ranges[key] = calibrate(*source.executor, images_, options);
}

QuantizedGraph Quantizer::quantize(const Recipe& recipe, const BitWidths& bits) {
  Source& source = this->source(recipe.equalizes);
  const Graph& graph = source.executor->graph();
  const Ranges& ranges = this->ranges(source, recipe.activations, bits.activations);
  QuantizeOptions options{.weights = recipe.scales,
                          .dense_weights = recipe.scales,
                          .weight_bits = bits.weights,
                          .activation_bits = bits.activations,
                          .weight_range = {.method = recipe.weights}};
  if (recipe.mixes_widths) options.node_weight_bits = widths_within(bits, options, ranges);
  QuantizedGraph q = qlimit::quantize(graph, ranges, options);
  if (recipe.learns_rounding) adaround(q, graph, images_);
  if (recipe.bias == BiasCorrection::kFromImages) correct_bias(q, graph, images_);
  if (recipe.bias == BiasCorrection::kFromBatchNorms) correct_bias_analytically(q, graph, source.moments);
  return q;
}

QuantizedGraph Quantizer::quantize(const std::vector<int>& node_weight_bits,
                                   const std::vector<int>& value_bits) {
  return qlimit::quantize(graph(), ranges(plain_, CalibrationMethod::kMinMax, kMostBits),
                          {.dense_weights = Granularity::kPerChannel,
                           .node_weight_bits = node_weight_bits,
                           .value_bits = value_bits});
}

// The best widths that take no more bytes than budget.weights for each.
std::vector<int> Quantizer::widths_within(const BitWidths& budget, const QuantizeOptions& options,
                                          const Ranges& ranges) {
  std::vector<NodeSensitivity>& nodes = sensitivities_[budget.activations];
  if (nodes.empty()) {
    QuantizeOptions others = options;
    others.weight_bits = kMostBits;
    const std::vector<int64_t> labels(calibration_.labels.begin(), calibration_.labels.end());
    nodes = measure_sensitivity(graph(), ranges, classification_loss(images_, labels),
                                {.widths = {8, 6, 5, 4, 3, 2}, .quantize = others});
  }
  int64_t bytes = 0;
  for (const NodeSensitivity& node : nodes) {
    const Node& layer = graph().nodes[node.node];
    bytes += packed_bytes(graph().value(layer.inputs[1]).shape.size(), budget.weights);
  }
  return assign_widths(graph(), nodes, bytes);
}

int64_t Quantizer::count_correct(const Engine& engine) const {
  const Evaluation evaluation = evaluate(engine, data_.test, data_.normalization);
  return std::count(evaluation.outcomes.begin(), evaluation.outcomes.end(), 1);
}

int64_t Quantizer::count_correct(const QuantizedGraph& q) const {
  return count_correct(make_engine("integers", std::make_shared<const QuantizedModel>(q)));
}

int64_t Quantizer::count_correct_fp32() const { return count_correct(make_engine("fp32", plain_.executor)); }

}  // namespace qlimit
