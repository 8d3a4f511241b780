#include "quant/remedies/moments.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "quant/passes.h"

namespace qlimit {
namespace {

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double distribution(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// factor * x, but 0 where the factor is, for x infinite too.
double weighed(double factor, double x) { return factor == 0 ? 0.0 : factor * x; }

}  // namespace

ActivationMoments batch_norm_moments(const Graph& traced) {
  validate(traced);
  Graph graph = traced;
  drop_identities(graph);
  const std::vector<Node> nodes = graph.nodes;
  fold_batch_norm(graph);  // hands names on to the outputs, whose ids stay
  ActivationMoments moments;
  for (const Node& node : nodes) {
    if (!std::holds_alternative<op::BatchNorm>(node.op)) continue;
    const Tensor<float>& gamma = graph.value(node.inputs[1]).constant;
    const Tensor<float>& beta = graph.value(node.inputs[2]).constant;
    NormalChannels channels = {.mean = std::vector<double>(beta.begin(), beta.end()),
                               .deviation = std::vector<double>(gamma.begin(), gamma.end())};
    for (double& deviation : channels.deviation) deviation = std::abs(deviation);
    // Of several in a row, the last one counts.
    moments.insert_or_assign(graph.value(node.output).name, std::move(channels));
  }
  return moments;
}

void rescale(ActivationMoments& moments, const std::vector<EqualizedActivation>& equalized) {
  for (const EqualizedActivation& change : equalized) {
    const auto found = moments.find(change.name);
    if (found == moments.end()) continue;
    for (size_t c = 0; c < change.scales.size(); ++c) {
      found->second.mean.at(c) /= change.scales[c];
      found->second.deviation.at(c) /= change.scales[c];
    }
  }
}

Moments clipped_normal(double mean, double deviation, double low, double high) {
  if (deviation == 0) return {std::clamp(mean, low, high), 0.0};
  const double a = (low - mean) / deviation, b = (high - mean) / deviation;
  const double below = distribution(a), above = distribution(-b), between = 1 - below - above;
  const double first =
      weighed(below, low) + weighed(above, high) + mean * between - deviation * (density(b) - density(a));
  const double second = weighed(below, low * low) + weighed(above, high * high) +
                        (mean * mean + deviation * deviation) * between +
                        deviation * (weighed(density(a), mean + low) - weighed(density(b), mean + high));
  return {first, std::max(0.0, second - first * first)};
}

Moments greatest_normal(int64_t n) {
  constexpr double kEnd = 10.0;  // beyond which nothing is left of the density
  constexpr int kSteps = 4000;
  const double step = 2 * kEnd / kSteps;
  double first = 0, second = 0;
  for (int i = 0; i <= kSteps; ++i) {  // the trapezoidal rule, exact to rounding for such densities
    const double x = -kEnd + i * step, count = static_cast<double>(n);
    const double share = step * count * density(x) * std::pow(distribution(x), count - 1);
    first += share * x;
    second += share * x * x;
  }
  return {first, second - first * first};
}

}  // namespace qlimit
