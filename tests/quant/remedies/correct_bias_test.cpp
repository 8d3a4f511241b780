#include "quant/remedies/correct_bias.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quant/recording.h"
#include "quant/remedies/correct_bias_analytically.h"
#include "quant/tflite/read.h"
#include "quant/tflite/write.h"
#include "tests/quant/remedies/normalized_net.h"
#include "tests/quant/remedies/remedy_case.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// A dense layer whose 4-bit weights all lie just below a half step and are rounded down, behind inputs
/// between 0 and 1: its output is systematically too small.
Graph skewed_layer() {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 5});
  // The greatest weight, 7, makes the step 1.
  const ValueId weight = graph.add_constant("w", Tensor<float>({1, 5}, {7.0f, 1.49f, 2.49f, 0.49f, 3.49f}));
  const ValueId bias = graph.add_constant("b", Tensor<float>({1}, {0.25f}));
  graph.add(op::Dense{}, {x, weight, bias});
  return graph;
}

Tensor<float> images_between_0_and_1(const Shape& shape, Random& rng) {
  Tensor<float> images = Tensor<float>::uninitialized(shape);
  for (float& x : images) x = static_cast<float>(rng.uniform());
  return images;
}

double mean_of(const Tensor<float>& x) {
  double sum = 0;
  for (float v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

TEST(CorrectBias, TakesBackASystematicRoundingError) {
  Random rng(1, "skewed");
  const Graph graph = skewed_layer();
  const Tensor<float> images = images_between_0_and_1({400, 5}, rng);
  const QuantizeOptions four_bits = {.weight_bits = 4};
  QuantizedGraph q = quantized_on(graph, images, four_bits);
  const double exact = mean_of(FloatExecutor(graph).run(images));
  EXPECT_NEAR(mean_of(QuantizedModel(q).run(images)) - exact, -4 * 0.49 * 0.5, 0.1)
      << "the case is as it should be";

  QuantizedGraph corrected = q;
  correct_bias(corrected, graph, images);
  const double output_step = q.params_of(graph.output).scale;
  EXPECT_NEAR(mean_of(QuantizedModel(corrected).run(images)), exact, output_step / 2);

  // A uniform input has mean 1/2 whatever its shape: the moments of a normal variable with that mean do.
  QuantizedGraph analytic = q;
  const ActivationMoments moments = {
      {"x", {.mean = std::vector<double>(5, 0.5), .deviation = std::vector<double>(5)}}};
  EXPECT_EQ(correct_bias_analytically(analytic, graph, moments), std::vector<std::string>{"dense_1"});
  const double bias_step = double{q.params_of(graph.input).scale} * q.filters[0].scales[0];
  const double expected = (0.25 + 4 * 0.49 * 0.5) / bias_step;
  EXPECT_NEAR(analytic.filters[0].bias[0], expected, 0.51);
}

/// The mean of each output channel before the activation, computed by the float kernels from given weights,
/// bias and inputs.
std::vector<double> mean_preactivation(const Graph& graph, const Node& node, const Tensor<float>& weight,
                                       const Tensor<float>& bias, const Tensor<float>& inputs) {
  Graph layer;
  Op op = node.op;
  *fused_activation(op) = Activation::kNone;
  const ValueId x = layer.add_input("x", graph.value(node.inputs[0]).shape);
  layer.add(op, {x, layer.add_constant("w", weight), layer.add_constant("b", bias)});
  const Tensor<float> y = FloatExecutor(layer).run(inputs);
  std::vector<double> mean(static_cast<size_t>(bias.size()), 0.0);
  for (int64_t i = 0; i < y.size(); ++i) {
    mean[static_cast<size_t>(i) % mean.size()] +=
        y[i] * static_cast<double>(bias.size()) / static_cast<double>(y.size());
  }
  return mean;
}

TEST(CorrectBias, EveryLayersMeanIsRightToHalfAStep) {
  Random rng(2, "layers");
  int layers = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Graph graph = random_graph(rng);
    run_passes(graph);
    const Tensor<float> images = random_images(graph, 40, rng);
    QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 4});
    correct_bias(q, graph, images);
    const auto exact = record_activations<float>(FloatExecutor(graph), images);
    const auto integers = record_activations<int8_t>(QuantizedModel(q), images);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      const QuantizedFilter& filter = q.filters[i];
      if (filter.weight.empty()) continue;
      const auto input = static_cast<size_t>(node.inputs[0]);
      Tensor<float> x = Tensor<float>::uninitialized(integers[input].shape());
      for (int64_t k = 0; k < x.size(); ++k) x[k] = dequantize(integers[input][k], q.params[input]);

      const auto channels = static_cast<int64_t>(filter.bias.size());
      const int64_t inner = channel_axis(node.op) == 3 ? 1 : filter.weight.size() / channels;
      const auto scale = [&](int64_t c) {
        return filter.scales[filter.scales.size() == 1 ? 0 : static_cast<size_t>(c)];
      };
      Tensor<float> weight = Tensor<float>::uninitialized(filter.weight.shape()), bias({channels}),
                    no_bias({channels});
      for (int64_t k = 0; k < weight.size(); ++k) weight[k] = scale(k / inner % channels) * filter.weight[k];
      for (int64_t c = 0; c < channels; ++c) {
        bias[c] = q.params[input].scale * scale(c) * static_cast<float>(filter.bias[static_cast<size_t>(c)]);
      }
      const bool biased = node.inputs.size() > 2;
      const auto expected =
          mean_preactivation(graph, node, graph.value(node.inputs[1]).constant,
                             biased ? graph.value(node.inputs[2]).constant : no_bias, exact[input]);
      const auto found = mean_preactivation(graph, node, weight, bias, x);
      for (int64_t c = 0; c < channels; ++c) {
        const auto at = static_cast<size_t>(c);
        const double half_step = 0.5 * q.params[input].scale * scale(c);
        ASSERT_NEAR(found[at], expected[at], 1.001 * half_step + 1e-5 * (1 + std::abs(expected[at])))
            << graph.value(node.output).name << " channel " << c << "\n"
            << to_string(graph);
      }
      ++layers;
    }
  }
  EXPECT_GT(layers, 100);
}

// A dense layer without a bias gets one by being corrected; the file must have it.
TEST(CorrectBias, IsWrittenToTheFile) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 5});
  graph.add(op::Dense{}, {x, graph.add_constant("w", skewed_layer().value(1).constant)});
  Random rng(4, "file");
  const Tensor<float> images = images_between_0_and_1({64, 5}, rng);
  QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 4});
  correct_bias(q, graph, images);
  ASSERT_NE(q.filters[0].bias[0], 0);
  const QuantizedGraph read = read_tflite(write_tflite(q).bytes, "corrected.tflite");
  EXPECT_EQ(read.filters[0].bias, q.filters[0].bias);
}

TEST(CorrectBias, ASecondCallChangesNothing) {
  Random rng(3, "twice");
  Graph graph = random_graph(rng);
  run_passes(graph);
  const Tensor<float> images = random_images(graph, 16, rng);
  QuantizedGraph q = quantized_on(graph, images, {.weight_bits = 3});
  correct_bias(q, graph, images);
  const std::string once = QuantizedModel(q).fingerprint();
  correct_bias(q, graph, images);
  EXPECT_EQ(QuantizedModel(q).fingerprint(), once);
}

/// Sum of squared errors of the logits.
double squared_error(const Graph& graph, const QuantizedGraph& q, const Tensor<float>& images) {
  const Tensor<float> exact = FloatExecutor(graph).run(images), found = QuantizedModel(q).run(images);
  double sum = 0;
  for (int64_t i = 0; i < exact.size(); ++i) sum += std::pow(double{exact[i]} - found[i], 2);
  return sum;
}

TEST(CorrectBias, BothFormsReduceTheErrorOfA4BitNet) {
  Random rng(4, "nets");
  double empirical = 0, analytic = 0;
  constexpr int kTrials = 6;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto model = normalized_net(rng);
    Graph graph = trace(*model, {1, 12, 12, 3});
    ActivationMoments moments = batch_norm_moments(graph);
    moments["input"] = {.mean = std::vector<double>(3, 0.0), .deviation = std::vector<double>(3, 1.0)};
    run_passes(graph);
    rescale(moments, equalize(graph));
    const Tensor<float> images = random_images(graph, 64, rng), fresh = random_images(graph, 64, rng);
    const QuantizedGraph q =
        quantized_on(graph, images, {.weights = Granularity::kPerTensor, .weight_bits = 4});
    QuantizedGraph with_data = q, without_data = q;
    correct_bias(with_data, graph, images);
    EXPECT_EQ(correct_bias_analytically(without_data, graph, moments).size(), 5u) << "all layers";
    const double error = squared_error(graph, q, fresh);
    empirical += squared_error(graph, with_data, fresh) / error;
    analytic += squared_error(graph, without_data, fresh) / error;
  }
  EXPECT_LT(empirical / kTrials, 0.2);
  EXPECT_LT(analytic / kTrials, 0.4);
}

TEST(CorrectBias, LayersWithAnUnknownInputKeepTheirBias) {
  Random rng(5, "unknown");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(4, k3x3, false).batch_norm().apply(op::Clamp{}).conv(4, k3x3, true).apply(op::Clamp{});
  Graph graph = net.apply(op::Mean{.axes = {1, 2}}).dense(3).graph();
  const ActivationMoments moments = batch_norm_moments(graph);
  run_passes(graph);
  const Tensor<float> images = random_images(graph, 16, rng);
  const QuantizedGraph before = quantized_on(graph, images, {.weight_bits = 3});
  QuantizedGraph q = before;
  EXPECT_EQ(correct_bias_analytically(q, graph, moments), std::vector<std::string>{"conv2d_2"});
  EXPECT_EQ(q.filters[0].bias, before.filters[0].bias) << "nothing is known of the image";
  EXPECT_NE(q.filters[1].bias, before.filters[1].bias);
  EXPECT_EQ(q.filters[3].bias, before.filters[3].bias) << "no batch norm in front";
}

TEST(CorrectBias, WrongArgumentsAreRefused) {
  Random rng(6, "refusals");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(2).graph(),
              other = GraphBuilder(rng, {1, 4}).dense(3).graph();
  const Tensor<float> images = random_images(graph, 4, rng);
  QuantizedGraph q = quantized_on(graph, images);
  expect_error([&] { correct_bias(q, other, images); }, ErrorKind::kUsage, {"correct_bias", "another graph"});
  expect_error([&] { correct_bias(q, graph, Tensor<float>({0, 4})); }, ErrorKind::kUsage, {"[0,4]"});
  expect_error([&] { correct_bias_analytically(q, other, {}); }, ErrorKind::kUsage, {"another graph"});
  expect_error([&] { correct_bias_analytically(q, graph, {}, {.window_correlation = 1.5}); },
               ErrorKind::kUsage, {"correlation"});
  expect_error(
      [&] {
        correct_bias_analytically(q, graph, {{"input", {.mean = {1.0}, .deviation = {1.0}}}});
      },
      ErrorKind::kUsage, {"input", "4 channels"});
  const std::vector<double> ones(4, 1.0), broken = {1.0, std::nan(""), 1.0, 1.0};
  const ActivationMoments moments = {{"input", {.mean = broken, .deviation = ones}}};
  expect_error([&] { correct_bias_analytically(q, graph, moments); }, ErrorKind::kNumeric,
               {"corrected bias", "dense_1", "nan"});
  Tensor<float> endless = images.clone();
  endless[0] = HUGE_VALF;
  const std::vector<int32_t> bias = q.filters[0].bias;
  expect_error([&] { correct_bias(q, graph, endless); }, ErrorKind::kNumeric, {"corrected bias", "dense_1"});
  EXPECT_EQ(q.filters[0].bias, bias);
}

}  // namespace
}  // namespace qlimit
