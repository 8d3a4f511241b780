#include "quant/remedies/adaround.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "quant/remedies/layer_reconstruction.h"
#include "tests/quant/remedies/normalized_net.h"
#include "tests/quant/remedies/remedy_case.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// The two numbers of its grid between which a weight lies; one number where it is clipped.
std::pair<int, int> choices(float weight, const QuantizedFilter& filter, size_t channel) {
  const double scale = filter.scales[filter.scales.size() == 1 ? 0 : channel];
  const int top = weight_max(filter.bits);
  const int below = static_cast<int>(std::floor(weight / scale));
  return {std::clamp(below, -top, top), std::clamp(below + 1, -top, top)};
}

/// A dense layer with one output whose inputs have much in common.
struct DenseCase {
  static constexpr int64_t kInputs = 8, kImages = 100;
  Graph graph;
  Tensor<float> images;
  QuantizedGraph q;

  explicit DenseCase(Random& rng) {
    graph = GraphBuilder(rng, {1, kInputs}).dense(1).graph();
    images = random_tensor({kImages, kInputs}, rng, 0.3);
    for (int64_t n = 0; n < kImages; ++n) {
      const auto common = static_cast<float>(rng.normal());
      for (int64_t k = 0; k < kInputs; ++k) images[n * kInputs + k] += common;
    }
    q = quantized_on(graph, images, {.weight_bits = 3});
  }

  /// The mean squared error of the layer before its output is rounded, from the definition.
  double error(const std::vector<int>& weight) const {
    const Tensor<float>& real = graph.value(graph.nodes[0].inputs[1]).constant;
    const double bias = graph.value(graph.nodes[0].inputs[2]).constant[0];
    const AffineParams& grid = q.params_of(graph.input);
    const double step = q.filters[0].scales[0];
    const double rounded_bias = grid.scale * step * q.filters[0].bias[0];
    double sum = 0;
    for (int64_t n = 0; n < kImages; ++n) {
      double exact = bias, found = rounded_bias;
      for (int64_t k = 0; k < kInputs; ++k) {
        const float x = images[n * kInputs + k];
        exact += double{real[k]} * double{x};
        found += step * weight[static_cast<size_t>(k)] * double{dequantize(quantize(x, grid), grid)};
      }
      sum += (found - exact) * (found - exact);
    }
    return sum / kImages;
  }
  double error() const { return error({q.filters[0].weight.begin(), q.filters[0].weight.end()}); }

  /// Of all ways to round the weights up and down.
  double least_error() const {
    const Tensor<float>& real = graph.value(graph.nodes[0].inputs[1]).constant;
    double least = std::numeric_limits<double>::infinity();
    for (int ups = 0; ups < 1 << kInputs; ++ups) {
      std::vector<int> weight;
      for (int64_t k = 0; k < kInputs; ++k) {
        const auto [down, up] = choices(real[k], q.filters[0], 0);
        weight.push_back(ups >> k & 1 ? up : down);
      }
      least = std::min(least, error(weight));
    }
    return least;
  }
};

TEST(AdaRound, FindsTheBestOfAllRoundings) {
  Random rng(1, "brute force");
  constexpr int kTrials = 20;
  double nearest = 0, least = 0, found = 0;
  int optimal = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    DenseCase layer(rng);
    const double before = layer.error(), best = layer.least_error();
    adaround(layer.q, layer.graph, layer.images, {.batch = DenseCase::kImages});
    const double after = layer.error();
    EXPECT_LE(after, before * 1.0001);
    optimal += after <= 1.0001 * best;
    nearest += before;
    least += best;
    found += after;
  }
  EXPECT_LT(least, 0.2 * nearest) << "the case is as it should be";
  EXPECT_LT(found, 1.15 * least);
  EXPECT_GE(optimal, kTrials / 2);
}

constexpr AdaRoundOptions kShort = {.iterations = 20, .learning_rate = 0.1};

TEST(AdaRound, WeightsMoveToANeighbourAndNothingElseChanges) {
  Random rng(2, "neighbours");
  int64_t moved = 0;
  for (int trial = 0; trial < 30; ++trial) {
    Graph graph = random_graph(rng);
    run_passes(graph);
    const Tensor<float> images = random_images(graph, 12, rng);
    const QuantizeOptions options = {
        .weights = trial % 2 ? Granularity::kPerTensor : Granularity::kPerChannel,
        .weight_bits = 2 + trial % 4,
        .weight_range = {.method = WeightRangeMethod::kMse}};
    const QuantizedGraph before = quantized_on(graph, images, options);
    QuantizedGraph q = before;
    adaround(q, graph, images, kShort);
    EXPECT_NO_THROW(validate(q));
    EXPECT_EQ(q.params, before.params);
    EXPECT_EQ(to_string(q.graph), to_string(before.graph));
    for (size_t i = 0; i < q.filters.size(); ++i) {
      const QuantizedFilter &old = before.filters[i], &filter = q.filters[i];
      EXPECT_EQ(filter.scales, old.scales);
      EXPECT_EQ(filter.bias, old.bias);
      EXPECT_EQ(filter.bits, old.bits);
      ASSERT_EQ(filter.weight.shape(), old.weight.shape());
      if (filter.weight.empty()) continue;
      const Tensor<float>& real = graph.value(graph.nodes[i].inputs[1]).constant;
      const auto channels = static_cast<int64_t>(filter.bias.size());
      const int64_t inner = channel_axis(graph.nodes[i].op) == 3 ? 1 : real.size() / channels;
      for (int64_t k = 0; k < real.size(); ++k) {
        const auto [down, up] = choices(real[k], filter, static_cast<size_t>(k / inner % channels));
        ASSERT_TRUE(filter.weight[k] == down || filter.weight[k] == up || filter.weight[k] == old.weight[k]);
        moved += filter.weight[k] != old.weight[k];
      }
    }
  }
  EXPECT_GT(moved, 300);
}

/// Sum of squared errors of the logits.
double logit_error(const Graph& graph, const QuantizedGraph& q, const Tensor<float>& images) {
  const Tensor<float> exact = FloatExecutor(graph).run(images), found = QuantizedModel(q).run(images);
  double sum = 0;
  for (int64_t i = 0; i < exact.size(); ++i) sum += std::pow(double{exact[i]} - double{found[i]}, 2);
  return sum;
}

TEST(AdaRound, ReducesTheErrorOfNarrowNets) {
  Random rng(3, "nets");
  constexpr int kTrials = 2;
  for (const auto& [bits, most] : {std::pair(3, 0.5), std::pair(4, 0.3)}) {
    double share = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      const auto model = normalized_net(rng);
      Graph graph = trace(*model, {1, 12, 12, 3});
      run_passes(graph);
      const Tensor<float> images = random_images(graph, 128, rng), fresh = random_images(graph, 128, rng);
      QuantizedGraph q = quantized_on(graph, images, {.weight_bits = bits});
      const double before = logit_error(graph, q, fresh);
      adaround(q, graph, images);
      share += logit_error(graph, q, fresh) / before / kTrials;
    }
    EXPECT_LT(share, most) << bits;
  }
}

TEST(AdaRound, ALayerIsNeverWorseThanItWas) {
  Random rng(4, "worse");
  Graph graph = random_graph(rng);
  run_passes(graph);
  const Tensor<float> images = random_images(graph, 16, rng);
  const QuantizedGraph before = quantized_on(graph, images, {.weight_bits = 3});
  for (const double wild : {0.0, 1.0, 1000.0}) {
    QuantizedGraph q = before;
    adaround(q, graph, images, {.iterations = 3, .learning_rate = wild});
    for (size_t i = 0; i < q.filters.size(); ++i) {
      if (q.filters[i].weight.empty()) continue;
      const LayerReconstruction layer(q, i, graph, images);
      EXPECT_LE(layer.error(q.filters[i].weight), layer.error(before.filters[i].weight));
    }
  }
}

TEST(AdaRound, DoesNotDependOnTheNumberOfThreads) {
  Random rng(5, "threads");
  const auto model = normalized_net(rng);
  Graph graph = trace(*model, {1, 12, 12, 3});
  run_passes(graph);
  const Tensor<float> images = random_images(graph, 48, rng);
  const QuantizedGraph before = quantized_on(graph, images, {.weight_bits = 3});
  std::vector<std::string> found;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    QuantizedGraph q = before;
    adaround(q, graph, images, kShort);
    found.push_back(QuantizedModel(q).fingerprint());
  }
  set_thread_count(1);
  EXPECT_EQ(found[1], found[0]);
  EXPECT_EQ(found[2], found[0]);
  EXPECT_NE(found[0], QuantizedModel(before).fingerprint()) << "something was learned";
}

TEST(AdaRound, BatchesAreDrawnBySeed) {
  Random rng(6, "seeds");
  const auto model = normalized_net(rng);
  Graph graph = trace(*model, {1, 12, 12, 3});
  run_passes(graph);
  const Tensor<float> images = random_images(graph, 48, rng);
  const auto learned = [&](uint64_t seed) {
    QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 3});
    adaround(q, graph, images, {.iterations = 20, .batch = 4, .learning_rate = 0.1, .seed = seed});
    return QuantizedModel(q).fingerprint();
  };
  EXPECT_EQ(learned(1), learned(1));
  EXPECT_NE(learned(1), learned(2));
}

TEST(AdaRound, WrongArgumentsAreRefused) {
  Random rng(7, "refusals");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(2).graph(),
              other = GraphBuilder(rng, {1, 4}).dense(3).graph();
  const Tensor<float> images = random_images(graph, 4, rng);
  QuantizedGraph q = quantized_on(graph, images);
  expect_error([&] { adaround(q, other, images); }, ErrorKind::kUsage, {"adaround", "another graph"});
  expect_error([&] { adaround(q, graph, Tensor<float>({0, 4})); }, ErrorKind::kUsage, {"[0,4]"});
  expect_error([&] { adaround(q, graph, Tensor<float>({4, 5})); }, ErrorKind::kUsage, {"[4,5]"});
  const auto refused = [&](const AdaRoundOptions& options, const char* name) {
    expect_error([&] { adaround(q, graph, images, options); }, ErrorKind::kUsage, {"out of range", name});
  };
  refused({.iterations = -1}, "iterations");
  refused({.batch = 0}, "batch");
  refused({.learning_rate = -0.1}, "learning_rate");
  refused({.warm_up = 1}, "warm_up");
  refused({.regularization = -1}, "regularization");
  refused({.first_beta = 0.5}, "first_beta");
  refused({.last_beta = std::nan("")}, "last_beta");

  Tensor<float> endless = images.clone();
  endless[0] = std::numeric_limits<float>::infinity();
  expect_error([&] { adaround(q, graph, endless); }, ErrorKind::kNumeric, {"not finite", "dense_1"});
}

}  // namespace
}  // namespace qlimit
