#include "quant/remedies/mixed_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "quant/cost.h"
#include "quant/float_executor.h"

namespace qlimit {

Measure output_error(const Graph& reference, const Tensor<float>& images) {
  const Tensor<float> expected = FloatExecutor(reference).run(images);
  return [expected, images](const QuantizedModel& model) {
    const Tensor<float> found = model.run(images);
    if (found.shape() != expected.shape()) {
      throw Error(ErrorKind::kUsage, {.what = "the two models come from different graphs",
                                      .where = "output_error",
                                      .expected = expected.shape().to_string(),
                                      .found = found.shape().to_string()});
    }
    double sum = 0;
    for (int64_t i = 0; i < found.size(); ++i) {
      const double error = static_cast<double>(found[i]) - static_cast<double>(expected[i]);
      sum += error * error;
    }
    return sum / static_cast<double>(found.size());
  };
}

Measure classification_loss(const Tensor<float>& images, const std::vector<int64_t>& labels) {
  return [images, labels](const QuantizedModel& model) {
    const Tensor<float> logits = model.run(images);
    const auto count = static_cast<int64_t>(labels.size());
    const int64_t classes = count == 0 ? 0 : logits.size() / count;
    const bool fit =
        count > 0 && classes * count == logits.size() && logits.dim(0) == count &&
        std::all_of(labels.begin(), labels.end(), [&](int64_t l) { return l >= 0 && l < classes; });
    if (!fit) {
      throw Error(ErrorKind::kUsage,
                  {.what = "labels and outputs do not fit together",
                   .where = "classification_loss",
                   .expected = concat("one class for each image of ", logits.shape().to_string()),
                   .found = concat(count, " labels")});
    }
    double sum = 0;
    for (int64_t n = 0; n < count; ++n) {
      const float* row = logits.data() + n * classes;
      const double most = *std::max_element(row, row + classes);
      double total = 0;
      for (int64_t c = 0; c < classes; ++c) total += std::exp(static_cast<double>(row[c]) - most);
      sum += std::log(total) + most - static_cast<double>(row[labels[static_cast<size_t>(n)]]);
    }
    return sum / static_cast<double>(count);
  };
}

std::vector<NodeSensitivity> measure_sensitivity(const Graph& graph, const Ranges& ranges,
                                                 const Measure& measure, const SensitivityOptions& options) {
  if (options.widths.empty() || !options.quantize.node_weight_bits.empty()) {
    throw Error(ErrorKind::kUsage, {.what = "widths have to be given, those of single nodes must not be",
                                    .where = "measure_sensitivity"});
  }
  const QuantizedGraph usual = quantize(graph, ranges, options.quantize);
  const double usual_measure = measure(QuantizedModel(usual));
  std::vector<NodeSensitivity> nodes;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (has_weights(graph.nodes[i].op)) nodes.push_back({.node = i, .choices = {}});
  }
  for (const int bits : options.widths) {
    QuantizeOptions narrow = options.quantize;
    narrow.weight_bits = bits;
    const QuantizedGraph all = quantize(graph, ranges, narrow);
    for (NodeSensitivity& node : nodes) {
      // A filter depends on no other, so that of the node can be taken from the model in which all are
      // narrow.
      QuantizedGraph one = usual;
      one.filters[node.node] = all.filters[node.node];
      const bool is_usual = bits == options.quantize.weight_bits;
      node.choices.push_back({.bits = bits,
                              .bytes = packed_bytes(one.filters[node.node].weight.size(), bits),
                              .damage = is_usual ? 0 : measure(QuantizedModel(one)) - usual_measure});
    }
  }
  return nodes;
}

namespace {

/// The best way known to spend so many bytes on the first nodes.
struct Spending {
  int64_t bytes = 0;
  double damage = 0;
  uint32_t before = 0;  // which of the spendings for one node less
  uint32_t choice = 0;  // and what was chosen for the last node
};
/// Ever more bytes with ever less damage: what is not on this frontier can be replaced by something on it.
using Frontier = std::vector<Spending>;

constexpr size_t kMostSpendings = size_t{1} << 20;

/// least_rest: what the nodes after this one need at least.
Frontier extended(const Frontier& frontier, const NodeSensitivity& node, int64_t budget, int64_t least_rest) {
  Frontier all;
  for (uint32_t k = 0; k < frontier.size(); ++k) {
    for (uint32_t c = 0; c < node.choices.size(); ++c) {
      const int64_t bytes = frontier[k].bytes + node.choices[c].bytes;
      if (bytes + least_rest > budget) continue;
      all.push_back({bytes, frontier[k].damage + node.choices[c].damage, k, c});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Spending& a, const Spending& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.damage < b.damage;
  });
  Frontier kept;
  for (const Spending& spending : all) {
    if (kept.empty() || spending.damage < kept.back().damage) kept.push_back(spending);
  }
  if (kept.size() > kMostSpendings) {
    throw Error(ErrorKind::kUnsupported, {.what = "too many combinations of widths",
                                          .where = "assign_widths",
                                          .expected = concat("at most ", kMostSpendings)});
  }
  return kept;
}

int64_t least_bytes(const NodeSensitivity& node, const Graph& graph) {
  if (node.choices.empty() || node.node >= graph.nodes.size()) {
    throw Error(ErrorKind::kUsage, {.what = "a node without choices, or of another graph",
                                    .where = "assign_widths",
                                    .found = concat("node ", node.node)});
  }
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const NodeSensitivity::Choice& choice : node.choices) {
    if (!std::isfinite(choice.damage)) {
      throw Error(ErrorKind::kNumeric,
                  {.what = "a damage is not a finite number",
                   .where = concat("assign_widths, node ", node.node, " with ", choice.bits, " bits"),
                   .found = concat(choice.damage)});
    }
    least = std::min(least, choice.bytes);
  }
  return least;
}

}  // namespace

std::vector<int> assign_widths(const Graph& graph, const std::vector<NodeSensitivity>& nodes,
                               int64_t budget) {
  int64_t rest = 0;
  for (const NodeSensitivity& node : nodes) rest += least_bytes(node, graph);
  if (rest > budget) {
    throw Error(ErrorKind::kUsage, {.what = "the budget is too small for any widths",
                                    .where = "assign_widths",
                                    .expected = concat("at least ", rest, " bytes"),
                                    .found = concat(budget)});
  }
  std::vector<Frontier> frontiers = {{Spending{}}};
  for (const NodeSensitivity& node : nodes) {
    rest -= least_bytes(node, graph);
    frontiers.push_back(extended(frontiers.back(), node, budget, rest));
  }
  std::vector<int> bits(graph.nodes.size(), kMostBits);
  size_t at = frontiers.back().size() - 1;  // the least damage
  for (size_t i = nodes.size(); i-- > 0;) {
    const Spending& spending = frontiers[i + 1][at];
    bits[nodes[i].node] = nodes[i].choices[spending.choice].bits;
    at = spending.before;
  }
  return bits;
}

}  // namespace qlimit
