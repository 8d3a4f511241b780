// Graphs as files bring them: several images at once, float borders, constants as operands, float parts.
#include <gtest/gtest.h>

#include "quant/analysis.h"
#include "quant/calibrate.h"
#include "quant/quantized_model.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// An int8 graph of one input, with the given parameters.
struct Int8Graph {
  QuantizedGraph q;

  ValueId input(const Shape& shape, AffineParams params, DataType type = DataType::kInt8) {
    const ValueId id = q.graph.add_input("x", shape);
    return typed(id, params, type);
  }
  ValueId constant(Tensor<float> data, AffineParams params) {
    return typed(q.graph.add_constant("c", std::move(data)), params, DataType::kInt8);
  }
  ValueId add(Op op, std::vector<ValueId> inputs, AffineParams params, DataType type = DataType::kInt8) {
    const ValueId id = q.graph.add(std::move(op), std::move(inputs));
    q.filters.emplace_back();
    return typed(id, params, type);
  }

 private:
  ValueId typed(ValueId id, AffineParams params, DataType type) {
    q.params.resize(q.graph.values.size());
    q.params[static_cast<size_t>(id)] = params;
    q.graph.value(id).type = type;
    return id;
  }
};

template <typename Out, typename In>
std::vector<Out> run_stored(const QuantizedModel& model, const std::vector<In>& input, int64_t runs = 1) {
  std::vector<Out> output(static_cast<size_t>(runs * model.graph().value(model.graph().output).shape.size()));
  Workspace workspace = model.make_workspace(runs);
  model.run_stored(input.data(), runs, output.data(), workspace);
  return output;
}

/// The same graph with another number of images at once. Reshapes do not occur.
Graph written_for(int64_t batch, const Graph& graph) {
  Graph wide = graph;
  wide.value(wide.input).shape = repeated(graph.value(graph.input).shape, batch);
  for (const Node& node : wide.nodes) {
    wide.value(node.output).shape = output_shape(node.op, input_shapes(wide, node));
  }
  return wide;
}

TEST(MixedGraph, SeveralImagesAtOnceAreComputedAsOneByOne) {
  Random rng(31, "graph");
  const Window three = {.kernel_h = 3, .kernel_w = 3},
               down = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  GraphBuilder net(rng, {1, 9, 7, 5});
  net.conv(48, three, true, Activation::kRelu).depthwise(2, three, true).apply(op::MaxPool2D{down});
  net.conv(8, {}, true).apply(op::AveragePool2D{three}).apply(op::Mean{.axes = {1, 2}}).dense(6);
  const Graph one = net.apply(op::Softmax{}).graph();
  const Graph three_at_once = written_for(3, one);
  const Tensor<float> images = random_tensor({12, 9, 7, 5}, rng);

  const FloatExecutor floats(one), wide_floats(three_at_once);
  const Tensor<float> expected = floats.run(images);
  const Tensor<float> found = wide_floats.run(images);
  ASSERT_EQ(found.shape(), expected.shape());
  for (int64_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], expected[i]);

  const Ranges ranges = calibrate(floats, images);
  const Tensor<float> integers = QuantizedModel(quantize(one, ranges)).run(images);
  const Tensor<float> wide_integers = QuantizedModel(quantize(three_at_once, ranges)).run(images);
  for (int64_t i = 0; i < integers.size(); ++i) EXPECT_EQ(wide_integers[i], integers[i]);

  expect_error([&] { wide_floats.run(random_tensor({4, 9, 7, 5}, rng)); }, ErrorKind::kUsage, {"multiple"});
}

// 33 images are eleven runs of three, but the usual batch of 32 is no whole number of runs.
TEST(MixedGraph, SeveralImagesAtOnceAreCalibratedInWholeRuns) {
  Random rng(36, "batches");
  const Graph one = GraphBuilder(rng, {1, 4}).dense(3).graph();
  const Graph three_at_once = written_for(3, one);
  const Tensor<float> images = random_tensor({33, 4}, rng);
  const FloatExecutor floats(three_at_once);
  const Ranges ranges = calibrate(floats, images), expected = calibrate(FloatExecutor(one), images);
  for (size_t id = 0; id < ranges.size(); ++id) EXPECT_EQ(ranges[id].max, expected[id].max);
  EXPECT_GT(layer_noise(floats, QuantizedModel(quantize(three_at_once, ranges)), images).back().sqnr_db, 20);
}

TEST(MixedGraph, NoiseIsMeasuredOfIntegersOnly) {
  Int8Graph net;
  const ValueId x = net.input({1, 4}, {}, DataType::kFloat32);
  net.add(op::Dequantize{}, {net.add(op::Quantize{}, {x}, {.scale = 1.0f / 64})}, {}, DataType::kFloat32);
  const FloatExecutor floats(net.q.graph);
  expect_error(
      [&] {
        layer_noise(floats, QuantizedModel(net.q), Tensor<float>({1, 4}));
      },
      ErrorKind::kUsage, {"floats", "x"});
}

TEST(MixedGraph, AGraphOfIntegersCanBeQuantizedAgain) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 2});
  graph.add(op::Mul{}, {x, graph.add_constant("c", Tensor<float>({1, 2}, {0.375f, 0.25f}))});
  const Tensor<float> images({2, 2}, {1.0f, -1.0f, -0.5f, 0.5f});
  const QuantizedGraph once = quantize(graph, calibrate(FloatExecutor(graph), images));
  const QuantizedGraph twice = quantize(once.graph, calibrate(FloatExecutor(once.graph), images));
  const Tensor<float> y = QuantizedModel(twice).run(images);
  EXPECT_NEAR(y[0], 0.375, 0.01);
  EXPECT_NEAR(y[1], -0.25, 0.01);
}

TEST(MixedGraph, AGraphWithFloatsBehindItsIntegersCannot) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 2});
  graph.add(op::Dequantize{}, {graph.add(op::Clamp{}, {graph.add(op::Quantize{}, {x})})});
  const Tensor<float> images({1, 2}, {1.0f, -1.0f});
  const Ranges ranges = calibrate(FloatExecutor(graph), images);
  expect_error([&] { quantize(graph, ranges); }, ErrorKind::kUnsupported, {"dequantize_1"});
}

TEST(MixedGraph, GroupsAreConvolutionsOfSlices) {
  Random rng(32, "graph");
  const Window window = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1};
  const Tensor<float> x = random_tensor({2, 5, 6, 6}, rng), weight = random_tensor({4, 3, 2, 3}, rng);
  const Tensor<float> bias = random_tensor({4}, rng);
  Graph grouped;
  const ValueId input = grouped.add_input("x", {1, 5, 6, 6});
  grouped.add(op::Conv2D{window},
              {input, grouped.add_constant("w", weight), grouped.add_constant("b", bias)});
  const Tensor<float> found = FloatExecutor(grouped).run(x);

  for (int64_t group : {0, 1}) {
    Tensor<float> slice({2, 5, 6, 3}), half({2, 3, 2, 3}), half_bias({2});
    for (int64_t i = 0; i < slice.size(); ++i) slice[i] = x[i / 3 * 6 + group * 3 + i % 3];
    std::copy_n(weight.data() + group * half.size(), half.size(), half.data());
    std::copy_n(bias.data() + group * 2, 2, half_bias.data());
    Graph plain;
    const ValueId in = plain.add_input("x", {1, 5, 6, 3});
    plain.add(op::Conv2D{window}, {in, plain.add_constant("w", half), plain.add_constant("b", half_bias)});
    const Tensor<float> expected = FloatExecutor(plain).run(slice);
    for (int64_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found[i / 2 * 4 + group * 2 + i % 2], expected[i], 1e-5);
    }
  }
}

TEST(MixedGraph, FloatBordersQuantizeAndDequantize) {
  Int8Graph net;
  const AffineParams half = {.scale = 0.5f, .zero_point = 3};
  const ValueId x = net.input({1, 4}, {}, DataType::kFloat32);
  const ValueId q = net.add(op::Quantize{}, {x}, half);
  const ValueId relu = net.add(op::Clamp{}, {q}, half);
  net.add(op::Dequantize{}, {relu}, {}, DataType::kFloat32);
  const QuantizedModel model(net.q);
  const std::vector<float> expected = {0.0f, 1.5f, 62.0f, 0.5f};
  EXPECT_EQ(run_stored<float>(model, std::vector<float>{-4.0f, 1.4f, 1e6f, 0.25f}), expected);
  const Tensor<float> same = model.run(Tensor<float>({1, 4}, {-4.0f, 1.4f, 1e6f, 0.25f}));
  EXPECT_EQ(std::vector<float>(same.begin(), same.end()), expected);
}

TEST(MixedGraph, AFloatPartRunsBetweenIntegers) {
  Int8Graph net;
  const AffineParams fine = {.scale = 1.0f / 64, .zero_point = 0};
  const ValueId x = net.input({1, 3}, fine);
  const ValueId real = net.add(op::Dequantize{}, {x}, {}, DataType::kFloat32);
  const ValueId tanh = net.add(op::Tanh{}, {real}, {}, DataType::kFloat32);
  net.add(op::Quantize{}, {tanh}, {.scale = 1.0f / 128, .zero_point = 0});
  // 128 * tanh(q / 64), rounded: q = 64 is tanh(1) = 0.76159
  EXPECT_EQ(run_stored<int8_t>(QuantizedModel(net.q), std::vector<int8_t>{0, 64, -64}),
            (std::vector<int8_t>{0, 97, -97}));
}

TEST(MixedGraph, AProbeChangesNoResult) {
  Random rng(33, "graph");
  for (int trial = 0; trial < 60; ++trial) {
    // Convolutions and the pools behind them are computed together, unless a probe looks on.
    const auto padding = rng.below(2) ? Padding::kSame : Padding::kValid;
    const Window halves = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = padding};
    GraphBuilder net(rng, {1 + rng.below(3), 4 + rng.below(20), 4 + rng.below(20), 1 + rng.below(9)});
    net.conv(1 + rng.below(40), {.kernel_h = 3, .kernel_w = 3}, true, Activation::kRelu);
    net.apply(op::MaxPool2D{halves}).conv(1 + rng.below(20), {}, true).apply(op::MaxPool2D{halves});
    const Graph& graph = net.graph();
    const Tensor<float> images = random_tensor(repeated(graph.value(graph.input).shape, 4), rng);
    const Ranges ranges = calibrate(FloatExecutor(graph), images);
    const Runtime runtime = trial % 4 == 0 ? Runtime::kSingleRounding : Runtime::kTflite;
    const QuantizedModel model(quantize(graph, ranges, {.runtime = runtime}));
    const Probe probe = [](int64_t, ValueId, const void*) {};
    const Tensor<float> watched = model.run(images, &probe), unwatched = model.run(images);
    for (int64_t i = 0; i < watched.size(); ++i) ASSERT_EQ(watched[i], unwatched[i]) << trial;
  }
}

TEST(MixedGraph, AWindowFarBeyondTheImageTakesTheDefinition) {
  Int8Graph net;
  const AffineParams one = {.scale = 1.0f, .zero_point = 0};
  const ValueId x = net.input({1, 1, 1, 1}, one);
  const ValueId weight = net.q.graph.add_constant("w", Tensor<float>({1, 3, 3, 1}));
  const Window far = {.kernel_h = 3, .kernel_w = 3, .dilation_h = 1 << 20, .dilation_w = 1 << 20};
  net.add(op::Conv2D{far}, {x, weight}, one);
  Tensor<int8_t> ones = Tensor<int8_t>::full({1, 3, 3, 1}, 1);
  net.q.filters[0] = {.weight = ones, .scales = {1.0f}, .bias = {2}};
  EXPECT_EQ(run_stored<int8_t>(QuantizedModel(net.q), std::vector<int8_t>{5}), std::vector<int8_t>{7});
}

TEST(MixedGraph, ConstantsAreOperands) {
  Int8Graph net;
  const AffineParams one = {.scale = 1.0f, .zero_point = 0}, half = {.scale = 0.5f, .zero_point = -128};
  const ValueId x = net.input({1, 2, 1, 2}, one);
  const ValueId sum = net.add(op::Add{}, {net.constant(Tensor<float>({2}, {3.0f, 0.5f}), half), x}, one);
  const ValueId product = net.add(op::Mul{}, {sum, net.constant(Tensor<float>({1}, {2.0f}), half)}, one);
  const ValueId c = net.constant(Tensor<float>({1, 2, 1, 1}, {7.0f, -8.0f}), one);
  const ValueId joined = net.add(op::Concatenation{.axis = 3}, {product, c}, one);
  net.add(op::Pad{.before = {0, 0, 1}, .after = {}}, {joined}, one);
  // (1 + 3) * 2, (2 + 0.5 -> 3) * 2 and 7 behind them; zeros in front of each row.
  EXPECT_EQ(run_stored<int8_t>(QuantizedModel(net.q), std::vector<int8_t>{1, 2, -10, 60}),
            (std::vector<int8_t>{0, 0, 0, 8, 6, 7, 0, 0, 0, -14, 122, -8}));
}

TEST(MixedGraph, TypesThatDoNotFitAreRefused) {
  Int8Graph net;
  const ValueId x = net.input({1, 3}, {.scale = 1.0f, .zero_point = 0});
  net.add(op::Tanh{}, {x}, {}, DataType::kFloat32);
  expect_error([&] { QuantizedModel model(net.q); }, ErrorKind::kUsage, {"tanh", "type"});
  net.q.filters.clear();
  expect_error([&] { QuantizedModel model(net.q); }, ErrorKind::kUsage, {"filters"});
}

TEST(MixedGraph, AGraphThatNeedsTooMuchMemoryIsRefused) {
  Graph graph;
  graph.add(op::Clamp{}, {graph.add_input("x", {1, 40000, 40000, 4})});
  expect_error([&] { FloatExecutor executor(graph); }, ErrorKind::kUnsupported, {"memory"});
}

}  // namespace
}  // namespace qlimit
