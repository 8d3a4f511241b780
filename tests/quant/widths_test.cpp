// Widths from 8 down to 2 bits: the grids, and the engine that computes on them.
#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/isa.h"
#include "quant/analysis.h"
#include "quant/calibrate.h"
#include "quant/kernels/logistic.h"
#include "quant/kernels/quantize.h"
#include "quant/kernels/requantize.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "quant/recording.h"
#include "tests/quant/integer_definition.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

int random_bits(Random& rng) { return kLeastBits + static_cast<int>(rng.below(7)); }

/// A random network with widths of its own, for each node with weights another one.
struct Case {
  QuantizedGraph quantized;
  Tensor<float> images;
  int activation_bits;
  std::vector<int> node_bits;
};

Case random_case(Random& rng, bool is_wide = false) {
  Graph graph = is_wide ? wide_graph(rng) : random_graph(rng);
  run_passes(graph);
  Case c = {.quantized = {},
            .images = random_tensor(with_batch(graph.value(graph.input).shape, 3), rng),
            .activation_bits = random_bits(rng),
            .node_bits = {}};
  for (size_t i = 0; i < graph.nodes.size(); ++i) c.node_bits.push_back(random_bits(rng));
  const Ranges ranges = calibrate(FloatExecutor(graph), c.images);
  c.quantized = quantize(graph, ranges,
                         {.weights = rng.below(2) ? Granularity::kPerChannel : Granularity::kPerTensor,
                          .dense_weights = rng.below(2) ? Granularity::kPerChannel : Granularity::kPerTensor,
                          .activation_bits = c.activation_bits,
                          .node_weight_bits = c.node_bits});
  return c;
}

TEST(Widths, GridsOfActivations) {
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const AffineParams params = activation_params({0.0f, 6.0f}, bits);
    EXPECT_EQ(params.bits, bits);
    EXPECT_EQ(params.low(), -static_cast<int32_t>(std::lround(std::exp2(bits - 1))));
    EXPECT_EQ(params.high() - params.low() + 1, static_cast<int32_t>(std::lround(std::exp2(bits))));
    EXPECT_EQ(params.zero_point, params.low());
    EXPECT_EQ(quantize(100.0f, params), params.high());
    EXPECT_EQ(quantize(-100.0f, params), params.low());
    EXPECT_FLOAT_EQ(dequantize(static_cast<int8_t>(params.high()), params), 6.0f);
    EXPECT_EQ(activation_params({-6.0f, 0.0f}, bits).zero_point, params.high());
  }
  EXPECT_EQ(activation_params({-1.0f, 2.0f}, 4), (AffineParams{3.0f / 15, -3, 4}));  // -8 + 5
  EXPECT_EQ(activation_params({-1.0f, 2.0f}, 2), (AffineParams{1.0f, -1, 2}));       // -2 + 1
  EXPECT_EQ(activation_params({-1.0f, 1.0f}, 3), (AffineParams{2.0f / 7, -1, 3}));   // -0.5, away from zero
  for (int bits : {-1, 0, 1, 9, 64}) {
    expect_error([&] { activation_params({0.0f, 1.0f}, bits); }, ErrorKind::kUsage, {"2 to 8"});
  }
}

TEST(Widths, TheKernelQuantizesAsTheDefinition) {
  Random rng(10, "numbers");
  std::vector<float> x;
  for (int i = 0; i < 500; ++i) x.push_back(static_cast<float>(rng.uniform(-3, 5)));
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const AffineParams params = activation_params({-1.0f, 3.0f}, bits);
    std::vector<int8_t> y(x.size()), expected;
    for (float v : x) expected.push_back(quantize(v, params));
    int8::quantize(params, x.data(), static_cast<int64_t>(x.size()), y.data());
    EXPECT_EQ(y, expected) << bits;
  }
}

TEST(Widths, ZeroLiesOnEveryGrid) {
  Random rng(1, "ranges");
  for (int i = 0; i < 5000; ++i) {
    const int bits = random_bits(rng);
    const Range range = {static_cast<float>(-rng.uniform(0, 4)), static_cast<float>(rng.uniform(0, 4))};
    const AffineParams params = activation_params(range, bits);
    ASSERT_GE(params.zero_point, params.low());
    ASSERT_LE(params.zero_point, params.high());
    EXPECT_EQ(dequantize(quantize(0.0f, params), params), 0.0f);
    // Every number of the range is met to half a step, and to half a step more where the zero point was
    // rounded.
    const auto x = static_cast<float>(rng.uniform(range.min, range.max));
    EXPECT_NEAR(dequantize(quantize(x, params), params), x, 0.501f * params.scale);
  }
}

TEST(Widths, GridsOfWeights) {
  const Tensor<float> weight({1, 5}, {-7.0f, 3.4f, 0.5f, -0.49f, 7.0f});
  const auto integers = [&](int bits) {
    const QuantizedFilter f = quantize_filter(weight, {}, 0, Granularity::kPerTensor, 1.0f, bits);
    EXPECT_EQ(f.bits, bits);
    EXPECT_FLOAT_EQ(f.scales[0] * static_cast<float>(weight_max(bits)), 7.0f);
    return std::vector<int8_t>(f.weight.begin(), f.weight.end());
  };
  EXPECT_EQ(integers(4), (std::vector<int8_t>{-7, 3, 1, 0, 7}));
  EXPECT_EQ(integers(3), (std::vector<int8_t>{-3, 1, 0, 0, 3}));  // steps of 7/3
  EXPECT_EQ(integers(2), (std::vector<int8_t>{-1, 0, 0, 0, 1}));  // steps of 7
  EXPECT_EQ(integers(5), (std::vector<int8_t>{-15, 7, 1, -1, 15}));
  EXPECT_EQ(weight_max(8), 127);
  for (int bits : {1, 9}) {
    expect_error([&] { quantize_filter(weight, {}, 0, Granularity::kPerTensor, 1.0f, bits); },
                 ErrorKind::kUsage, {"2 to 8"});
  }
}

TEST(Widths, ADeadChannelKeepsItsBias) {
  // As with 8 bits: the scale grows until the bias needs 2^30, and no further.
  const Tensor<float> weight({1, 2}, {1e-20f, -1e-20f}), bias({1}, {0.75f});
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const QuantizedFilter f = quantize_filter(weight, bias, 0, Granularity::kPerChannel, 0.02f, bits);
    EXPECT_NEAR(f.bias[0], 1 << 30, 64) << bits;
    EXPECT_NEAR(0.02 * static_cast<double>(f.scales[0]) * f.bias[0], 0.75, 1e-6) << bits;
  }
}

TEST(Widths, EverythingLiesOnItsGrid) {
  const Random seed(2, "grids");
  int ternary = 0;
  for (uint64_t trial = 0; trial < 100; ++trial) {
    Random rng = seed.split(trial);
    const Case c = random_case(rng);
    const QuantizedModel model(c.quantized);
    const auto integers = record_activations<int8_t>(model, c.images);
    for (size_t id = 0; id < integers.size(); ++id) {
      const AffineParams& params = c.quantized.params[id];
      for (int8_t q : integers[id]) {
        ASSERT_GE(q, params.low()) << c.quantized.graph.values[id].name;
        ASSERT_LE(q, params.high()) << c.quantized.graph.values[id].name;
      }
    }
    EXPECT_EQ(model.params(model.graph().input).bits, 8);
    EXPECT_EQ(model.params(model.graph().output).bits, 8);
    for (size_t i = 0; i < c.node_bits.size(); ++i) {
      const QuantizedFilter& filter = c.quantized.filters[i];
      if (filter.weight.empty()) continue;
      EXPECT_EQ(filter.bits, c.node_bits[i]);
      ternary += filter.bits == 2;
      for (int8_t w : filter.weight) ASSERT_LE(std::abs(w), weight_max(filter.bits));
    }
  }
  EXPECT_GT(ternary, 10);
}

// The engine computes what the operations say, in real numbers, on the integer grids: node by node from the
// engine's own inputs, so that roundings do not add up. A correctly rounded result is half a step from the
// exact one. The first of the two roundings of a multiplication by M takes M/2 of a step more, which is seen
// with few bits, when M is not far below 1: up to a quarter, since from 1/2 on there is one rounding only.
// Softmax's exponential may take half a step.
TEST(Widths, EachNodeIsTheRoundedDefinition) {
  const Random seed(3, "definition");
  for (uint64_t trial = 0; trial < 150; ++trial) {
    Random rng = seed.split(trial);
    const Case c = random_case(rng);
    const QuantizedGraph& q = c.quantized;
    const auto integers = record_activations<int8_t>(QuantizedModel(q), c.images);
    for (size_t i = 0; i < q.graph.nodes.size(); ++i) {
      const Node& node = q.graph.nodes[i];
      const double tolerance = std::holds_alternative<op::Softmax>(node.op) ? 1.0 : 0.755;
      const Reals expected = defined_result(q, i, integers);
      const Tensor<int8_t>& found = integers[static_cast<size_t>(node.output)];
      for (int64_t k = 0; k < found.size(); ++k) {
        ASSERT_NEAR(found[k], on_grid(expected[static_cast<size_t>(k)], q.params_of(node.output)), tolerance)
            << q.graph.value(node.output).name << " element " << k << "\n"
            << to_string(q.graph);
      }
    }
  }
}

TEST(Widths, EveryKernelAndInstructionSetGivesTheSameBits) {
  const Isa isa_before = active_isa();
  const Random seed(4, "instruction sets");
  for (uint64_t trial = 0; trial < 60; ++trial) {
    Random rng = seed.split(trial);
    const Case c = random_case(rng, trial < 4);
    const QuantizedModel reference(c.quantized, Kernels::kReference);
    const auto expected = record_activations<int8_t>(reference, c.images);
    for (const Isa isa : supported_isas()) {
      set_active_isa(isa);
      const QuantizedModel model(c.quantized);
      const auto found = record_activations<int8_t>(model, c.images);
      for (size_t id = 0; id < found.size(); ++id) {
        ASSERT_TRUE(std::equal(found[id].begin(), found[id].end(), expected[id].begin()))
            << isa_name(isa) << ", trial " << trial << ", " << c.quantized.graph.values[id].name;
      }
      // Without a probe, convolutions and the pools behind them are one kernel.
      const Tensor<float> watched = reference.run(c.images), unwatched = model.run(c.images);
      ASSERT_TRUE(std::equal(watched.begin(), watched.end(), unwatched.begin())) << isa_name(isa);
    }
    set_active_isa(isa_before);
  }
}

// Outputs that `quantize` never makes: sigmoid and tanh have 8 bits there. But a graph may say otherwise.
TEST(Widths, TablesAndRelusOfEveryRuntimeStayOnTheGrid) {
  const AffineParams input = {.scale = 0.05f, .zero_point = 3};
  const AffineParams narrow = {.scale = 0.02f, .zero_point = -1, .bits = 4};
  for (const int8_t y : int8::tanh_table(input, narrow, Runtime::kTflite)) {
    EXPECT_GE(y, -8);
    EXPECT_LE(y, 7);
  }
  expect_error([&] { int8::tanh_table(input, narrow, Runtime::kTfliteMicro); }, ErrorKind::kUnsupported, {});
  for (const Runtime runtime : {Runtime::kTflite, Runtime::kTfliteMicro}) {
    const OutputStage output = {.params = narrow, .activation = Activation::kRelu6};
    const auto params = int8::prepare_relu(input, output, runtime);
    std::vector<int8_t> numbers;
    for (int q = kInt8Min; q <= kInt8Max; ++q) numbers.push_back(static_cast<int8_t>(q));
    int8::requantize(params, numbers.data(), 256, numbers.data());
    EXPECT_EQ(*std::max_element(numbers.begin(), numbers.end()), 7);
    EXPECT_GE(*std::min_element(numbers.begin(), numbers.end()), -8);
  }
}

TEST(Widths, WhichValuesKeepEightBits) {
  Random rng(5, "widths");
  const Window halve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  GraphBuilder net(rng, {1, 8, 8, 2});
  net.apply(op::MaxPool2D{halve});                                          // of the input: 8 bits
  net.conv(4, {}, true, Activation::kRelu).apply(op::MaxPool2D{halve});     // 3 bits, both
  net.apply(op::Tanh{}).conv(4, {}, true).apply(op::Mean{.axes = {1, 2}});  // 8, 3, 3
  net.dense(5, true).apply(op::Reshape{{1, 5}}).apply(op::Softmax{});       // logits, and what follows: 8
  const std::vector<int> widths = activation_widths(net.graph(), 3);
  std::vector<int> of_nodes;
  for (const Node& node : net.graph().nodes) of_nodes.push_back(widths[static_cast<size_t>(node.output)]);
  EXPECT_EQ(widths[static_cast<size_t>(net.graph().input)], 8);
  EXPECT_EQ(of_nodes, (std::vector<int>{8, 3, 3, 8, 3, 3, 8, 8, 8}));
  const QuantizedGraph q =
      quantize(net.graph(), Ranges(net.graph().values.size(), Range{-1, 1}), {.activation_bits = 3});
  for (size_t id = 0; id < widths.size(); ++id) {
    if (q.graph.values[id].is_constant()) continue;
    EXPECT_EQ(q.params[id].bits, widths[id]) << id;
  }
}

TEST(Widths, ALostBitCostsSixDecibels) {
  // Uniform numbers: the signal has the power 1/3, the error s^2 / 12 with s = 1 / (2^b - 1).
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 1000})});
  graph.add(op::Clamp{}, {graph.output});
  Tensor<float> images({8, 1000});
  Random rng(6, "uniform");
  for (float& x : images) x = static_cast<float>(rng.uniform());
  for (int bits = 2; bits <= 5; ++bits) {
    const QuantizedModel model(quantize(graph, Ranges(3, Range{0, 1}), {.activation_bits = bits}));
    const auto layers = layer_noise(FloatExecutor(graph), model, images);
    EXPECT_NEAR(layers[1].sqnr_db, 20 * std::log10(2 * (std::exp2(bits) - 1)), 0.3) << bits;
  }
}

TEST(Widths, ObserversOptimiseForTheWidthTheirValueGets) {
  Random rng(7, "calibrate");
  GraphBuilder net(rng, {1, 40});
  net.dense(40, true).apply(op::Clamp{Activation::kRelu}).dense(6, true);
  const FloatExecutor executor(net.graph());
  const Tensor<float> images = random_tensor({100, 40}, rng);
  for (CalibrationMethod method : {CalibrationMethod::kMse, CalibrationMethod::kEntropy}) {
    const auto calibrated = [&](int bits) {
      return calibrate(executor, images, {.observer = {.method = method, .bits = bits}});
    };
    const Ranges eight = calibrated(8), three = calibrated(3);
    const auto all = record_activations<float>(executor, images);
    for (size_t id = 0; id < all.size(); ++id) {
      if (all[id].empty()) continue;
      const auto value = static_cast<ValueId>(id);
      if (value == net.graph().input || value == net.graph().output) {
        EXPECT_EQ(three[id], eight[id]) << id;
        continue;
      }
      const auto observer = make_observer({.method = method, .bits = 3});
      observer->observe(all[id].data(), all[id].size());
      EXPECT_EQ(three[id], observer->range()) << id;
      EXPECT_NE(three[id], eight[id]) << id;
      if (method != CalibrationMethod::kMse) continue;
      EXPECT_LT(three[id].max, eight[id].max) << id;  // with few levels clipping pays
    }
  }
}

// One activation alone is narrow: its grid has few steps, and the layer behind it counts in them.
TEST(Widths, EachValueMayHaveItsOwn) {
  Random rng(9, "values");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(3).dense(2).graph();
  const Ranges ranges(graph.values.size(), Range{-1, 1});
  std::vector<int> bits = activation_widths(graph, 8);
  const ValueId hidden = graph.nodes[0].output;
  bits[static_cast<size_t>(hidden)] = 3;
  const QuantizedGraph one = quantize(graph, ranges, {.value_bits = bits});
  const QuantizedGraph all = quantize(graph, ranges);
  EXPECT_EQ(one.params_of(hidden), activation_params({-1, 1}, 3));
  EXPECT_EQ(one.params_of(graph.input), all.params_of(graph.input));
  EXPECT_EQ(one.params_of(graph.output), all.params_of(graph.output));
  EXPECT_EQ(one.filters[0].bias, all.filters[0].bias);
  EXPECT_NE(one.filters[1].bias, all.filters[1].bias);
}

TEST(Widths, WrongWidthsAreRefused) {
  Random rng(8, "refusals");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(3).dense(2).graph();
  const Ranges ranges(graph.values.size(), Range{-1, 1});
  const auto refuse = [&](const QuantizeOptions& options, const char* found) {
    expect_error([&] { quantize(graph, ranges, options); }, ErrorKind::kUsage, {found});
  };
  refuse({.weight_bits = 1}, "2 to 8");
  refuse({.weight_bits = 9}, "2 to 8");
  refuse({.activation_bits = 1}, "2 to 8");
  refuse({.activation_bits = 16}, "2 to 8");
  refuse({.node_weight_bits = {8}}, "widths of the nodes");
  refuse({.node_weight_bits = {8, 0}}, "2 to 8");
  refuse({.value_bits = {8, 8}}, "widths of the values");
  refuse({.value_bits = std::vector<int>(graph.values.size(), 9)}, "2 to 8");
  refuse({.value_params = {AffineParams{}}}, "grids of the values");
  refuse({.node_half_ranges = {{1.0f}}}, "half ranges of the nodes");

  const QuantizedGraph good = quantize(graph, ranges, {.weight_bits = 4, .activation_bits = 4});
  const auto refuse_model = [&](const auto& change, const char* found) {
    QuantizedGraph bad = good;
    change(bad);
    expect_error([&] { QuantizedModel model(bad); }, ErrorKind::kUsage, {found});
  };
  const auto hidden = static_cast<size_t>(graph.nodes[0].output);
  refuse_model([&](QuantizedGraph& q) { q.params[hidden].bits = 12; }, "2 to 8");
  refuse_model([&](QuantizedGraph& q) { q.params[hidden].zero_point = 8; }, "-8 to 7");
  refuse_model(
      [&](QuantizedGraph& q) {
        q.filters[0].weight = q.filters[0].weight.clone();
        q.filters[0].weight[0] = 8;
      },
      "4 bits");
}

TEST(Widths, FingerprintsTellWidthsApart) {
  Random rng(9, "fingerprint");
  const Graph graph = GraphBuilder(rng, {1, 4}).dense(3).graph();
  QuantizedGraph q = quantize(graph, Ranges(graph.values.size(), Range{-1, 1}), {.weight_bits = 4});
  const std::string fingerprint = QuantizedModel(q).fingerprint();
  q.filters[0].bits = 8;  // the same numbers, on another grid
  EXPECT_NE(QuantizedModel(q).fingerprint(), fingerprint);
}

}  // namespace
}  // namespace qlimit
