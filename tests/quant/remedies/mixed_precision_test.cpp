// Mixed precision: the exact choice against all choices, and a network whose fragile layer is known.
#include "quant/remedies/mixed_precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quant/calibrate.h"
#include "quant/cost.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// A graph of so many dense layers.
Graph chain(Random& rng, size_t layers) {
  GraphBuilder net(rng, {1, 4});
  for (size_t i = 0; i < layers; ++i) net.dense(4);
  return net.graph();
}

struct Total {
  int64_t bytes = 0;
  double damage = 0;
};

Total total_of(const std::vector<NodeSensitivity>& nodes, const std::vector<int>& bits) {
  Total total;
  for (const NodeSensitivity& node : nodes) {
    for (const NodeSensitivity::Choice& choice : node.choices) {
      if (choice.bits != bits[node.node]) continue;
      total.bytes += choice.bytes;
      total.damage += choice.damage;
    }
  }
  return total;
}

/// The least damage among all combinations within the budget; infinite if none fits.
Total best_of_all(const std::vector<NodeSensitivity>& nodes, int64_t budget, size_t i = 0,
                  Total so_far = {}) {
  if (so_far.bytes > budget) return {0, std::numeric_limits<double>::infinity()};
  if (i == nodes.size()) return so_far;
  Total best = {0, std::numeric_limits<double>::infinity()};
  for (const NodeSensitivity::Choice& choice : nodes[i].choices) {
    const Total found =
        best_of_all(nodes, budget, i + 1, {so_far.bytes + choice.bytes, so_far.damage + choice.damage});
    if (found.damage < best.damage || (found.damage == best.damage && found.bytes < best.bytes)) best = found;
  }
  return best;
}

TEST(MixedPrecision, TheChoiceIsTheBestOfAll) {
  const Random seed(1, "instances");
  int solved = 0, impossible = 0;
  for (uint64_t trial = 0; trial < 400; ++trial) {
    SCOPED_TRACE(trial);
    Random rng = seed.split(trial);
    const Graph graph = chain(rng, 1 + rng.below(6));
    std::vector<NodeSensitivity> nodes;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      nodes.push_back({.node = i, .choices = {}});
      // Whole numbers make ties; damages may be negative, and wider need not be better.
      for (int bits : {8, 5, 4, 2}) {
        if (bits != 8 && rng.below(4) == 0) continue;
        nodes.back().choices.push_back({.bits = bits,
                                        .bytes = 1 + static_cast<int64_t>(rng.below(30)),
                                        .damage = static_cast<double>(rng.below(12)) - 2});
      }
    }
    const int64_t budget = 1 + rng.below(30 * static_cast<uint32_t>(nodes.size()));
    const Total expected = best_of_all(nodes, budget);
    if (std::isinf(expected.damage)) {
      ++impossible;
      expect_error([&] { assign_widths(graph, nodes, budget); }, ErrorKind::kUsage, {"budget"});
      continue;
    }
    ++solved;
    const Total found = total_of(nodes, assign_widths(graph, nodes, budget));
    EXPECT_EQ(found.damage, expected.damage);
    EXPECT_EQ(found.bytes, expected.bytes);
  }
  EXPECT_GT(solved, 100);
  EXPECT_GT(impossible, 20);
}

/// Three equal layers, but one row of the second has weights some ten times as large as the others'. Behind
/// the first ReLU its result is below zero for every image, and the second ReLU makes it 0: the row says
/// nothing, but with one scale for all it makes the steps of all others coarse.
struct Fragile {
  Graph graph;
  Tensor<float> images;
  Ranges ranges;
  QuantizeOptions options = {.weights = Granularity::kPerTensor, .dense_weights = Granularity::kPerTensor};
};

Fragile fragile_net() {
  Random rng(2, "fragile");
  Fragile f = {.graph = GraphBuilder(rng, {1, 16})
                            .dense(16, true, Activation::kRelu)
                            .dense(16, true, Activation::kRelu)
                            .dense(16, true)
                            .graph(),
               .images = random_tensor({200, 16}, rng),
               .ranges = {}};
  Tensor<float>& second = f.graph.value(f.graph.nodes[1].inputs[1]).constant;
  for (int64_t k = 0; k < 16; ++k) second[5 * 16 + k] = -3.0f;
  f.ranges = calibrate(FloatExecutor(f.graph), f.images);
  return f;
}

TEST(MixedPrecision, TheFragileLayerKeepsItsBits) {
  const Fragile f = fragile_net();
  const Measure error = output_error(f.graph, f.images);
  const auto nodes = measure_sensitivity(f.graph, f.ranges, error, {.quantize = f.options});
  ASSERT_EQ(nodes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nodes[i].node, i);
    ASSERT_EQ(nodes[i].choices.size(), 3u);
    EXPECT_EQ(nodes[i].choices[0].damage, 0.0) << "8 bits are the usual width";
    EXPECT_EQ(nodes[i].choices[0].bytes, 256);
    EXPECT_EQ(nodes[i].choices[1].bytes, 128);
    EXPECT_EQ(nodes[i].choices[2].bytes, 64);
    EXPECT_GT(nodes[i].choices[2].damage, nodes[i].choices[1].damage);
  }
  EXPECT_GT(nodes[1].choices[1].damage, 3 * nodes[0].choices[1].damage);
  EXPECT_GT(nodes[1].choices[1].damage, 3 * nodes[2].choices[1].damage);
  EXPECT_EQ(assign_widths(f.graph, nodes, 512), (std::vector<int>{4, 8, 4}));
  EXPECT_EQ(assign_widths(f.graph, nodes, 768), (std::vector<int>{8, 8, 8}));
  EXPECT_EQ(assign_widths(f.graph, nodes, 192), (std::vector<int>{2, 2, 2}));

  // The damages were measured one by one; together the choice is still the best of its size.
  const auto measured = [&](const std::vector<int>& bits) {
    QuantizeOptions options = f.options;
    options.node_weight_bits = bits;
    return error(QuantizedModel(quantize(f.graph, f.ranges, options)));
  };
  EXPECT_LT(measured({4, 8, 4}), measured({8, 4, 4}));
  EXPECT_LT(measured({4, 8, 4}), measured({4, 4, 8}));
}

TEST(MixedPrecision, DamageIsTheDifferenceOfTheMeasure) {
  Random rng(3, "net");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(4, {.kernel_h = 3, .kernel_w = 3}, true, Activation::kRelu);
  net.apply(op::Mean{.axes = {1, 2}}).dense(5);
  const Graph& graph = net.graph();
  const Tensor<float> images = random_tensor({30, 6, 6, 2}, rng);
  const Ranges ranges = calibrate(FloatExecutor(graph), images);
  std::vector<int64_t> labels;
  for (int i = 0; i < 30; ++i) labels.push_back(rng.below(5));
  const Measure loss = classification_loss(images, labels);
  const SensitivityOptions options = {.widths = {6, 3}, .quantize = {.weight_bits = 6, .activation_bits = 5}};
  const auto nodes = measure_sensitivity(graph, ranges, loss, options);
  ASSERT_EQ(nodes.size(), 2u);
  const auto loss_of = [&](const std::vector<int>& bits) {
    return loss(QuantizedModel(quantize(graph, ranges, {.activation_bits = 5, .node_weight_bits = bits})));
  };
  EXPECT_EQ(nodes[0].choices[1].damage, loss_of({3, 8, 6}) - loss_of({6, 8, 6}));
  EXPECT_EQ(nodes[1].choices[1].damage, loss_of({6, 8, 3}) - loss_of({6, 8, 6}));
  EXPECT_EQ(nodes[1].choices[1].bytes, packed_bytes(20, 3));
  EXPECT_EQ(assign_widths(graph, nodes, 1000)[1], 8) << "the mean has no weights";
}

TEST(Measures, KnownValues) {
  // The outputs are the inputs, on a grid of ones.
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 4})});
  const QuantizedModel model(quantize(graph, {{0.0f, 255.0f}, {0.0f, 255.0f}}));
  const Tensor<float> images({2, 4}, {1.0f, 2.25f, 3.0f, 4.0f, 0.0f, 0.0f, 0.0f, 0.0f});
  EXPECT_DOUBLE_EQ(output_error(graph, images)(model), 0.25 * 0.25 / 8);
  const double first = std::log(std::exp(-3.0) + std::exp(-2.0) + std::exp(-1.0) + 1) + 1;  // 4 - 3
  EXPECT_NEAR(classification_loss(images, {2, 0})(model), (first + std::log(4.0)) / 2, 1e-12);
}

TEST(MixedPrecision, WrongArgumentsAreRefused) {
  const Fragile f = fragile_net();
  const Measure error = output_error(f.graph, f.images);
  const auto refuse = [&](const SensitivityOptions& options, const char* found) {
    expect_error([&] { measure_sensitivity(f.graph, f.ranges, error, options); }, ErrorKind::kUsage, {found});
  };
  refuse({.widths = {}}, "widths");
  refuse({.widths = {8, 1}}, "2 to 8");
  refuse({.quantize = {.node_weight_bits = {8, 8, 8}}}, "single nodes");
  expect_error([&] { assign_widths(f.graph, {{.node = 0, .choices = {}}}, 100); }, ErrorKind::kUsage,
               {"node 0"});
  expect_error([&] { assign_widths(f.graph, {{.node = 7, .choices = {{}}}}, 100); }, ErrorKind::kUsage,
               {"node 7"});
  const std::vector<NodeSensitivity> unknown = {
      {.node = 0, .choices = {{.bits = 2, .bytes = 1, .damage = std::nan("")}, {.bits = 8, .bytes = 4}}}};
  expect_error([&] { assign_widths(f.graph, unknown, 100); }, ErrorKind::kNumeric,
               {"damage", "node 0 with 2 bits", "nan"});
  // Bytes or damage, twice as much from one node to the next: each of the 2^21 combinations is the best for its
  // bytes.
  std::vector<NodeSensitivity> doubling;
  for (int k = 0; k <= 20; ++k) {
    const int64_t amount = int64_t{1} << k;
    doubling.push_back(
        {.node = 0,
         .choices = {{.bits = 8, .bytes = amount}, {.bits = 2, .damage = static_cast<double>(amount)}}});
  }
  expect_error([&] { assign_widths(f.graph, doubling, int64_t{1} << 30); }, ErrorKind::kUnsupported,
               {"too many combinations", "1048576"});
  const QuantizedModel model(quantize(f.graph, f.ranges));
  expect_error([&] { classification_loss(f.images, {1, 2})(model); }, ErrorKind::kUsage, {"2 labels"});
  expect_error([&] { classification_loss(f.images, std::vector<int64_t>(200, 16))(model); },
               ErrorKind::kUsage, {"labels"});
}

}  // namespace
}  // namespace qlimit
