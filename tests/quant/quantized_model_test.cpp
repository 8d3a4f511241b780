#include "quant/quantized_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "quant/analysis.h"
#include "quant/calibrate.h"
#include "quant/kernels/conv2d.h"
#include "quant/passes.h"
#include "quant/recording.h"
#include "tests/quant/error_bound.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const Window kThree = {.kernel_h = 3, .kernel_w = 3};
const Window kOne = {};
const Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// The exact ranges of the activations on these images.
Ranges ranges_on(const std::vector<Tensor<float>>& activations) {
  Ranges ranges(activations.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (activations[i].empty()) continue;
    const auto [least, most] = std::minmax_element(activations[i].begin(), activations[i].end());
    ranges[i] = {.min = *least, .max = *most};
  }
  return ranges;
}

struct Study {
  Graph graph;
  Tensor<float> images;
  std::vector<Tensor<float>> exact;
  QuantizedGraph quantized;
};

/// Folds, calibrates and quantizes on random images.
Study study(Graph graph, Random& rng, const QuantizeOptions& options = {}, int64_t batch = 4) {
  run_passes(graph);
  Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, batch), rng);
  auto exact = record_activations<float>(FloatExecutor(graph), images);
  QuantizedGraph quantized = quantize(graph, ranges_on(exact), options);
  return {std::move(graph), std::move(images), std::move(exact), std::move(quantized)};
}

int random_bits(Random& rng) { return kMostBits - static_cast<int>(rng.below(7)); }

/// Every number of every activation lies within the bound that the scales give.
void expect_within_bounds(const Study& s) {
  const QuantizedModel model(s.quantized);
  const auto integers = record_activations<int8_t>(model, s.images);
  const auto bounds = error_bounds(s.quantized, s.exact);
  for (size_t id = 0; id < integers.size(); ++id) {
    for (int64_t i = 0; i < integers[id].size(); ++i) {
      const double found = dequantize(integers[id][i], model.params(static_cast<ValueId>(id)));
      ASSERT_LE(std::abs(found - s.exact[id][i]), bounds[id][i] * 1.0001 + 1e-6)
          << s.graph.values[id].name << " element " << i << "\n"
          << to_string(s.graph);
    }
  }
}

TEST(QuantizedModel, OneLayerStaysWithinTheBound) {
  Random rng(1, "one layer");
  for (int trial = 0; trial < 100; ++trial) {
    const Shape input = {1, 3 + rng.below(6), 3 + rng.below(6), 1 + rng.below(5)};
    const QuantizeOptions options = {
        .weights = rng.below(2) ? Granularity::kPerTensor : Granularity::kPerChannel,
        .dense_weights = rng.below(2) ? Granularity::kPerTensor : Granularity::kPerChannel,
        .weight_bits = random_bits(rng)};
    const Activation activation = rng.below(2) ? Activation::kRelu : Activation::kRelu6;
    GraphBuilder conv(rng, input), depthwise(rng, input), dense(rng, {1, input.size()});
    conv.conv(1 + rng.below(6), random_window(rng, input), rng.below(2), activation);
    depthwise.depthwise(1 + rng.below(2), random_window(rng, input), rng.below(2), activation);
    dense.dense(1 + rng.below(9), rng.below(2));
    for (const Graph& graph : {conv.graph(), depthwise.graph(), dense.graph()}) {
      expect_within_bounds(study(graph, rng, options));
    }
  }
}

TEST(QuantizedModel, RandomNetworksStayWithinTheBound) {
  Random rng(2, "networks");
  for (int trial = 0; trial < 200; ++trial) {
    const QuantizeOptions options = {.weight_bits = random_bits(rng), .activation_bits = random_bits(rng)};
    expect_within_bounds(study(random_graph(rng), rng, options));
  }
}

/// Networks of the kinds that are used, at their smallest.
std::vector<std::pair<const char*, Graph>> usual_networks(Random& rng) {
  std::vector<std::pair<const char*, Graph>> networks;
  GraphBuilder plain(rng, {1, 12, 12, 3});
  plain.conv(8, kThree, false).batch_norm().apply(op::Clamp{}).apply(op::MaxPool2D{kHalve});
  plain.conv(16, kThree, false).batch_norm().apply(op::Clamp{}).apply(op::MaxPool2D{kHalve});
  networks.emplace_back("plain", plain.flatten().dense(10).graph());

  GraphBuilder averaged(rng, {1, 12, 12, 3});
  averaged.conv(8, kThree, false).batch_norm().apply(op::Clamp{}).apply(op::AveragePool2D{kHalve});
  averaged.conv(16, kThree, false).batch_norm().apply(op::Clamp{});
  networks.emplace_back("global average", averaged.apply(op::Mean{.axes = {1, 2}}).dense(10).graph());

  GraphBuilder residual(rng, {1, 8, 8, 3});
  residual.conv(8, kThree, false).batch_norm().apply(op::Clamp{});
  const ValueId shortcut = residual.at();
  residual.conv(8, kThree, false).batch_norm().apply(op::Clamp{}).conv(8, kThree, false).batch_norm();
  residual.add(shortcut).apply(op::Clamp{});
  networks.emplace_back("residual", residual.apply(op::Mean{.axes = {1, 2}}).dense(10).graph());

  GraphBuilder separable(rng, {1, 12, 12, 3});
  separable.conv(8, kThree, false).batch_norm().apply(op::Clamp{Activation::kRelu6});
  separable.depthwise(1, kThree, false).batch_norm().apply(op::Clamp{Activation::kRelu6});
  separable.conv(16, kOne, false).batch_norm().apply(op::Clamp{Activation::kRelu6});
  networks.emplace_back("separable", separable.apply(op::Mean{.axes = {1, 2}}).dense(10).graph());

  GraphBuilder with_softmax(rng, {1, 20});
  with_softmax.dense(16).apply(op::Clamp{}).dense(10).apply(op::Softmax{});
  networks.emplace_back("softmax", with_softmax.graph());

  GraphBuilder with_sigmoid(rng, {1, 20});
  with_sigmoid.dense(16).apply(op::Pointwise{"sigmoid", logistic}).dense(10);
  networks.emplace_back("sigmoid", with_sigmoid.graph());
  return networks;
}

TEST(QuantizedModel, UsualNetworksLoseLittle) {
  Random rng(3, "networks");
  for (const auto& [name, graph] : usual_networks(rng)) {
    const Study s = study(graph, rng, {}, 16);
    const auto layers = layer_noise(FloatExecutor(s.graph), QuantizedModel(s.quantized), s.images);
    ASSERT_EQ(layers.size(), 1 + s.graph.nodes.size());
    EXPECT_EQ(layers[0].operation, "input");
    for (const LayerNoise& layer : layers) EXPECT_GT(layer.sqnr_db, 20.0) << name << ", " << layer.name;
    // A normal signal clipped nowhere: the step is 1/255 of a range of 6 to 8 deviations.
    EXPECT_NEAR(layers[0].sqnr_db, 42.0, 3.0) << name;
  }
}

TEST(LayerNoise, IsTheRatioOfSignalToError) {
  // Scale 1/255 * 255 = 1 and zero point 0: integers are exact, halves err by a half.
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 1})});
  const QuantizedModel model(quantize(graph, {{-128.0f, 127.0f}, {-128.0f, 127.0f}}));
  const FloatExecutor executor(graph);
  const auto exact = layer_noise(executor, model, Tensor<float>({3, 1}, {-5.0f, 100.0f, 7.0f}));
  EXPECT_EQ(exact[0].sqnr_db, std::numeric_limits<double>::infinity());
  const auto halves = layer_noise(executor, model, Tensor<float>({2, 1}, {50.0f, 0.5f}));
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[1].name, "relu_1");
  EXPECT_EQ(halves[1].operation, "relu");
  EXPECT_NEAR(halves[1].sqnr_db, 10 * std::log10((2500 + 0.25) / 0.25), 1e-9);
}

TEST(LayerNoise, RefusesModelsOfDifferentGraphs) {
  Random rng(13, "noise");
  const Study s = study(GraphBuilder(rng, {1, 6}).dense(2).graph(), rng);
  const FloatExecutor other(GraphBuilder(rng, {1, 6}).dense(2).dense(2).graph());
  expect_error([&] { layer_noise(other, QuantizedModel(s.quantized), s.images); }, ErrorKind::kUsage,
               {"different graphs"});
}

TEST(QuantizedModel, TheWholeChainIsTheKernelsOneAfterAnother) {
  Random rng(4, "chain");
  const Study s =
      study(GraphBuilder(rng, {1, 6, 6, 2}).conv(3, kThree, true, Activation::kRelu).graph(), rng);
  const QuantizedGraph& q = s.quantized;
  const OutputStage stage = {.params = q.params[static_cast<size_t>(q.graph.output)],
                             .activation = Activation::kRelu};
  const AffineParams in = q.params[static_cast<size_t>(q.graph.input)];
  const auto params = int8::prepare_conv2d({4, 6, 6, 2}, in, q.filters[0], kThree, stage);
  std::vector<int8_t> x, expected(4 * 6 * 6 * 3), found(expected.size());
  for (float v : s.images) x.push_back(quantize(v, in));
  int8::conv2d_reference(params, x.data(), expected.data());
  const QuantizedModel model(q);
  Workspace workspace = model.make_workspace(4);
  model.run_stored(x.data(), 4, found.data(), workspace);
  EXPECT_EQ(found, expected);
}

TEST(QuantizedModel, AFusedActivationClampsWhateverTheRangeIs) {
  // Ranges from elsewhere, far wider than the activation's: the grid alone does not cut.
  Random rng(14, "clamps");
  GraphBuilder conv(rng, {1, 6, 6, 2}), depthwise(rng, {1, 6, 6, 2}), dense(rng, {1, 12}), sum(rng, {1, 12}),
      alone(rng, {1, 12});
  conv.conv(4, kThree, true, Activation::kRelu6);
  depthwise.depthwise(2, kThree, true, Activation::kRelu6);
  dense.dense(20, true, Activation::kRelu6);
  sum.add(sum.at(), Activation::kRelu6);
  alone.apply(op::Clamp{Activation::kRelu6});
  for (const Graph& graph : {conv.graph(), depthwise.graph(), dense.graph(), sum.graph(), alone.graph()}) {
    const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 8), rng, 20.0);
    const Ranges wide(graph.values.size(), {-60.0f, 60.0f});
    const Tensor<float> y = QuantizedModel(quantize(graph, wide)).run(images);
    const auto [least, most] = std::minmax_element(y.begin(), y.end());
    EXPECT_EQ(*least, 0.0f) << to_string(graph);
    EXPECT_NEAR(*most, 6.0f, 60.0f / 255) << to_string(graph);
  }
}

TEST(QuantizedModel, ParametersFollowTheSpecification) {
  Random rng(5, "parameters");
  GraphBuilder net(rng, {1, 6, 6, 2});
  net.conv(3, kThree, true).apply(op::MaxPool2D{kHalve}).apply(op::AveragePool2D{kOne}).flatten();
  net.dense(4).apply(op::Softmax{});
  const Study s = study(net.graph(), rng);
  const QuantizedGraph& q = s.quantized;
  const auto of_output = [&](size_t node) {
    return q.params[static_cast<size_t>(q.graph.nodes[node].output)];
  };
  ASSERT_EQ(q.graph.nodes.size(), 5u) << "the 1x1 pool is dropped";
  EXPECT_EQ(of_output(1), of_output(0)) << "a max pool keeps the scale";
  EXPECT_EQ(of_output(2), of_output(0)) << "a reshape too";
  EXPECT_EQ(of_output(4), kSoftmaxParams);
  EXPECT_EQ(q.filters[0].scales.size(), 3u) << "convolutions have a scale for each channel";
  EXPECT_EQ(q.filters[3].scales.size(), 1u) << "dense layers have one";
  const QuantizedGraph swapped =
      quantize(s.graph, ranges_on(s.exact),
               {.weights = Granularity::kPerTensor, .dense_weights = Granularity::kPerChannel});
  EXPECT_EQ(swapped.filters[0].scales.size(), 1u);
  EXPECT_EQ(swapped.filters[3].scales.size(), 4u);
}

TEST(QuantizedModel, ADeadChannelKeepsItsBias) {
  // Batch norm has switched channel 0 off: weights near 0 and a bias of 3, which the int32 bias cannot hold
  // in steps of s_in * s_w unless the weights' scale is enlarged.
  Random rng(6, "dead channel");
  GraphBuilder net(rng, {1, 5, 5, 2});
  net.conv(2, kThree, true);
  Graph graph = net.graph();
  for (int64_t i = 0; i < 18; ++i) graph.value(1).constant[i] = 1e-12f;
  graph.value(2).constant[0] = 3.0f;
  const Study s = study(graph, rng);
  const Tensor<float> y = QuantizedModel(s.quantized).run(s.images);
  const float step = s.quantized.params[static_cast<size_t>(s.graph.output)].scale;
  for (int64_t i = 0; i < y.size(); i += 2) EXPECT_NEAR(y[i], 3.0f, step);
}

TEST(QuantizedModel, AnAdditionThatIsAlwaysZeroHasAScale) {
  // The scale of a range of nothing, 1e-6 / 255, is too fine for an addition of numbers of ordinary size.
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 3});
  graph.add(op::Add{Activation::kRelu}, {x, x});
  const QuantizedModel model(quantize(graph, {{-4.0f, 0.0f}, {0.0f, 0.0f}}));
  for (float y : model.run(Tensor<float>({1, 3}, {-4.0f, -1.0f, 0.0f}))) EXPECT_EQ(y, 0.0f);
}

TEST(QuantizedModel, EveryInstructionSetGivesTheSameBits) {
  Random rng(17, "instruction sets");
  const Isa isa_before = active_isa();
  for (int trial = 0; trial < 40; ++trial) {
    const Study s = study(trial == 0 ? wide_graph(rng) : random_graph(rng), rng, {}, 3);
    const Tensor<float> expected = QuantizedModel(s.quantized, Kernels::kReference).run(s.images);
    for (const Isa isa : supported_isas()) {
      set_active_isa(isa);
      const Tensor<float> found = QuantizedModel(s.quantized).run(s.images);
      EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin())) << isa_name(isa) << ", " << trial;
    }
    set_active_isa(isa_before);
  }
}

TEST(QuantizedModel, ResultsDependNeitherOnTheBatchNorOnThreads) {
  Random rng(7, "independence");
  const int threads_before = thread_count();
  for (int trial = 0; trial < 15; ++trial) {
    const Study s = study(trial == 0 ? wide_graph(rng) : random_graph(rng), rng, {}, 7);
    const FloatExecutor floats(s.graph);
    const QuantizedModel integers(s.quantized);
    set_thread_count(1);
    const Tensor<float> float_expected = floats.run(s.images);
    const Tensor<float> expected = integers.run(s.images);
    for (int threads : {1, 2, 4}) {
      set_thread_count(threads);
      for (int64_t batch : {1, 3, 7}) {
        int64_t at = 0;
        for_each_batch(s.graph, s.images, batch, [&](const Tensor<float>& part) {
          const Tensor<float> float_found = floats.run(part);
          const Tensor<float> found = integers.run(part);
          for (int64_t i = 0; i < found.size(); ++i, ++at) {
            ASSERT_EQ(float_found[i], float_expected[at]) << threads << " threads, batch " << batch;
            ASSERT_EQ(found[i], expected[at]) << threads << " threads, batch " << batch;
          }
        });
      }
    }
  }
  set_thread_count(threads_before);
}

TEST(QuantizedModel, SeveralCallersShareOneModel) {
  Random rng(8, "callers");
  const Study s = study(usual_networks(rng)[0].second, rng, {}, 8);
  const QuantizedModel model(s.quantized);
  const FloatExecutor executor(s.graph);
  const Tensor<float> expected = model.run(s.images);
  const Tensor<float> float_expected = executor.run(s.images);
  std::vector<Tensor<float>> found(4), float_found(4);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < found.size(); ++i) {
    callers.emplace_back([&, i] {
      found[i] = model.run(s.images);
      float_found[i] = executor.run(s.images);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found[i].begin()));
    EXPECT_TRUE(std::equal(float_expected.begin(), float_expected.end(), float_found[i].begin()));
  }
}

TEST(QuantizedModel, FingerprintsTellModelsApart) {
  Random rng(10, "fingerprint");
  const Study s = study(usual_networks(rng)[0].second, rng);
  const std::string fingerprint = QuantizedModel(s.quantized).fingerprint();
  EXPECT_EQ(QuantizedModel(quantize(s.graph, ranges_on(s.exact))).fingerprint(), fingerprint);
  QuantizedGraph other = s.quantized;
  other.filters[0].bias[0] += 1;
  EXPECT_NE(QuantizedModel(other).fingerprint(), fingerprint);
}

TEST(QuantizedModel, FingerprintsSeeTheWeightsOfFloatLayers) {
  const auto fingerprint = [](float weight) {
    QuantizedGraph q;
    const ValueId x = q.graph.add_input("x", {1, 1});
    q.graph.add(op::Dense{}, {x, q.graph.add_constant("w", Tensor<float>({1, 1}, {weight}))});
    q.params.resize(q.graph.values.size());
    q.filters.resize(1);
    return QuantizedModel(q).fingerprint();
  };
  EXPECT_EQ(fingerprint(1), fingerprint(1));
  EXPECT_NE(fingerprint(1), fingerprint(2));
}

TEST(QuantizedModel, TheInputHasTheWidthThatItIsGiven) {
  Random rng(14, "widths");
  const Study s = study(GraphBuilder(rng, {1, 6}).dense(2).graph(), rng);
  std::vector<int> widths(s.graph.values.size(), 8);
  widths[static_cast<size_t>(s.graph.input)] = 4;
  const Ranges ranges = calibrate(FloatExecutor(s.graph), s.images);
  const QuantizedGraph q = quantize(s.graph, ranges, {.value_bits = widths});
  EXPECT_EQ(q.params_of(s.graph.input).bits, 4);
  widths[0] = 9;
  expect_error([&] { quantize(s.graph, ranges, {.value_bits = widths}); }, ErrorKind::kUsage, {"value_bits"});
}

}  // namespace
}  // namespace qlimit
