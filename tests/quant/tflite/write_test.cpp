#include "quant/tflite/write.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "quant/passes.h"
#include "tests/quant/tflite/written_file.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

/// The micro net of the experiments, folded: C8 P C16 P C24 P C24 G D10.
Graph micro_graph(Random& rng) {
  GraphBuilder net(rng, {1, 32, 32, 3});
  for (const int64_t channels : {8, 16, 24}) {
    net.conv(channels, kThree, true, Activation::kRelu).apply(op::MaxPool2D{kHalve});
  }
  return net.conv(24, kThree, true, Activation::kRelu).apply(op::Mean{{1, 2}}).dense(10).graph();
}

TEST(TfliteWriter, AFloatConvolutionIsReadBack) {
  Graph graph;
  const ValueId x = graph.add_input("images", {1, 5, 6, 2});
  const ValueId weight = graph.add_constant("w", Tensor<float>::full({3, 2, 1, 2}, 0.5f));
  const ValueId bias = graph.add_constant("b", Tensor<float>({3}, {1, 2, 3}));
  const Window window = {.kernel_h = 2,
                         .kernel_w = 1,
                         .stride_h = 1,
                         .stride_w = 3,
                         .dilation_h = 2,
                         .dilation_w = 1,
                         .padding = Padding::kValid};
  graph.add(op::Conv2D{window, Activation::kRelu6}, {x, weight, bias});
  const TfliteFile file = write_tflite(graph);
  const Reader r(file);

  EXPECT_EQ(file.bytes.substr(4, 4), "TFL3");
  EXPECT_EQ(r.model.version(), 3u);
  ASSERT_EQ(r.graph.operators()->size(), 1u);
  EXPECT_EQ(r.code(0).builtin_code(), BuiltinOperator::CONV_2D);
  EXPECT_EQ(r.code(0).deprecated_builtin_code(), 3);
  EXPECT_EQ(r.code(0).version(), 1);
  const auto* options = r.node(0).builtin_options_as_Conv2DOptions();
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->padding(), tflite::Padding::VALID);
  EXPECT_EQ(options->stride_h(), 1);
  EXPECT_EQ(options->stride_w(), 3);
  EXPECT_EQ(options->dilation_h_factor(), 2);
  EXPECT_EQ(options->dilation_w_factor(), 1);
  EXPECT_EQ(options->fused_activation_function(), ActivationFunctionType::RELU6);

  ASSERT_EQ(r.node(0).inputs()->size(), 3u);
  EXPECT_EQ(list(r.input(0, 0).shape()), (Ints{1, 5, 6, 2}));
  EXPECT_EQ(r.input(0, 0).name()->str(), "images");
  EXPECT_EQ(list(r.input(0, 1).shape()), (Ints{3, 2, 1, 2}));
  EXPECT_EQ(r.numbers<float>(r.input(0, 1)), std::vector<float>(12, 0.5f));
  EXPECT_EQ(list(r.input(0, 2).shape()), (Ints{3}));
  EXPECT_EQ(r.numbers<float>(r.input(0, 2)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(list(r.output(0).shape()), (Ints{1, 3, 2, 3}));
  for (const auto* tensor : *r.graph.tensors()) EXPECT_EQ(tensor->type(), TensorType::FLOAT32);
  EXPECT_EQ(list(r.graph.inputs()), Ints{r.node(0).inputs()->Get(0)});
  EXPECT_EQ(list(r.graph.outputs()), list(r.node(0).outputs()));
  EXPECT_EQ(file.ledger.weights, 12 * 4);
  EXPECT_EQ(file.ledger.biases, 3 * 4);
  EXPECT_EQ(file.ledger.quantization, 0);
}

TEST(TfliteWriter, AnInt8ConvolutionIsReadBack) {
  Graph graph;
  const ValueId x = graph.add_input("images", {1, 2, 2, 1});
  const ValueId weight = graph.add_constant("w", Tensor<float>({2, 1, 1, 1}, {0.5f, -2.0f}));
  const ValueId bias = graph.add_constant("b", Tensor<float>({2}, {1.0f, 1.0f}));
  const ValueId y = graph.add(op::Conv2D{}, {x, weight, bias});
  // Scales that are easy to follow: 2/255 with zero point -128, and 2/255 with zero point round(-0.5) = -1.
  Ranges ranges(graph.values.size());
  ranges[static_cast<size_t>(x)] = {.min = 0.0f, .max = 2.0f};
  ranges[static_cast<size_t>(y)] = {.min = -1.0f, .max = 1.0f};
  const TfliteFile file = write_tflite(quantize(graph, ranges));
  const Reader r(file);

  EXPECT_EQ(r.code(0).version(), 3);
  const tflite::Tensor &in = r.input(0, 0), &w = r.input(0, 1), &b = r.input(0, 2), &out = r.output(0);
  EXPECT_EQ(in.type(), TensorType::INT8);
  EXPECT_EQ(list(in.quantization()->scale()), std::vector<float>{2.0f / 255.0f});
  EXPECT_EQ(list(in.quantization()->zero_point()), Longs{-128});
  EXPECT_EQ(w.type(), TensorType::INT8);
  EXPECT_EQ(r.numbers<int8_t>(w), (std::vector<int8_t>{127, -127}));
  EXPECT_EQ(list(w.quantization()->scale()), (std::vector<float>{0.5f / 127, 2.0f / 127}));
  EXPECT_EQ(list(w.quantization()->zero_point()), (Longs{0, 0}));
  EXPECT_EQ(w.quantization()->quantized_dimension(), 0);
  EXPECT_EQ(b.type(), TensorType::INT32);
  EXPECT_EQ(r.numbers<int32_t>(b), (Ints{32385, 8096}));  // 1 * (255/2) * (127/0.5), and * (127/2)
  EXPECT_EQ(list(b.quantization()->scale()),
            (std::vector<float>{0.5f / 127 * (2.0f / 255), 2.0f / 127 * (2.0f / 255)}));
  EXPECT_EQ(list(b.quantization()->zero_point()), (Longs{0, 0}));
  EXPECT_EQ(out.type(), TensorType::INT8);
  EXPECT_EQ(list(out.quantization()->scale()), std::vector<float>{2.0f / 255.0f});
  EXPECT_EQ(list(out.quantization()->zero_point()), Longs{-1});
  EXPECT_EQ(file.ledger.weights, 2);
  EXPECT_EQ(file.ledger.biases, 2 * 4);
}

TEST(TfliteWriter, ADepthwiseConvolutionQuantizesItsLastAxis) {
  Random rng(1, "net");
  const Graph graph = GraphBuilder(rng, {1, 4, 4, 3}).depthwise(2, kThree, false).graph();
  const TfliteFile file = write_tflite(quantized(graph));
  const Reader r(file);
  EXPECT_EQ(r.code(0).builtin_code(), BuiltinOperator::DEPTHWISE_CONV_2D);
  EXPECT_EQ(r.node(0).builtin_options_as_DepthwiseConv2DOptions()->depth_multiplier(), 2);
  EXPECT_EQ(r.input(0, 1).quantization()->scale()->size(), 6u);
  EXPECT_EQ(r.input(0, 1).quantization()->quantized_dimension(), 3);
}

TEST(TfliteWriter, ConvolutionsGetABiasThatTheyDoNotHave) {
  // Without one, TFLite's convolution refuses to run (kernels/conv.cc) and its optimized depthwise
  // convolution crashes.
  Random rng(11, "net");
  const Graph plain = GraphBuilder(rng, {1, 3, 3, 2}).conv(4, kThree, false).graph();
  const Graph depthwise = GraphBuilder(rng, {1, 3, 3, 2}).depthwise(2, kThree, false).graph();
  for (const Graph& graph : {plain, depthwise}) {
    const TfliteFile floats = write_tflite(graph), integers = write_tflite(quantized(graph));
    const Reader f(floats), q(integers);
    ASSERT_EQ(f.node(0).inputs()->size(), 3u);
    EXPECT_EQ(f.numbers<float>(f.input(0, 2)), std::vector<float>(4, 0.0f));
    EXPECT_EQ(list(f.input(0, 2).shape()), Ints{4});
    ASSERT_EQ(q.node(0).inputs()->size(), 3u);
    EXPECT_EQ(q.numbers<int32_t>(q.input(0, 2)), Ints(4, 0));
  }
  const TfliteFile dense = write_tflite(GraphBuilder(rng, {1, 3}).dense(2, false).graph());
  EXPECT_EQ(Reader(dense).node(0).inputs()->size(), 2u);
}

TEST(TfliteWriter, EqualPartsAreStoredOnce) {
  const auto net = [](bool equal) {
    Graph graph;
    graph.add_input("x", {1, 4, 4, 2});
    for (const float w : {1.0f, equal ? 1.0f : 2.0f}) {
      const ValueId weight = graph.add_constant("w", Tensor<float>::full({2, 3, 3, 2}, w));
      graph.add(op::Conv2D{kThree}, {graph.output, weight});
    }
    return graph;
  };
  const TfliteFile file = write_tflite(net(true));
  const Reader r(file);
  EXPECT_EQ(r.node(0).inputs()->Get(1), r.node(1).inputs()->Get(1));
  EXPECT_EQ(r.node(0).builtin_options(), r.node(1).builtin_options());
  EXPECT_EQ(r.input(0, 0).shape(), r.output(1).shape());
  EXPECT_EQ(r.model.operator_codes()->size(), 1u);
  EXPECT_EQ(r.model.buffers()->size(), 3u) << "the empty one, the weights, the biases";
  EXPECT_EQ(file.ledger.weights, 2 * 3 * 3 * 2 * 4);
  EXPECT_EQ(write_tflite(net(false)).ledger.weights, 2 * file.ledger.weights);

  // Two activations on the grid of their common producer, and vectors of zeros for weights and biases.
  Random rng(7, "net");
  const Graph pools = GraphBuilder(rng, {1, 8, 8, 3})
                          .conv(5, kThree, true)
                          .apply(op::MaxPool2D{kHalve})
                          .apply(op::MaxPool2D{kHalve})
                          .graph();
  const TfliteFile quantized_file = write_tflite(quantized(pools));
  const Reader q(quantized_file);
  EXPECT_EQ(q.output(0).quantization(), q.output(1).quantization());
  EXPECT_EQ(q.output(0).quantization(), q.output(2).quantization());
  EXPECT_EQ(q.node(1).builtin_options(), q.node(2).builtin_options());
  EXPECT_EQ(q.input(0, 1).quantization()->zero_point(), q.input(0, 2).quantization()->zero_point());
}

TEST(TfliteWriter, WhatHasNoFormIsRefusedByName) {
  Random rng(8, "net");
  GraphBuilder net(rng, {1, 3, 3, 2});
  net.apply(op::Pointwise{"swish", logistic});
  expect_error([&] { write_tflite(net.graph()); }, ErrorKind::kUnsupported, {"swish", "swish_1"});
  expect_error([&] { write_tflite(quantized(net.graph())); }, ErrorKind::kUnsupported, {"swish"});
  const Graph normalized = GraphBuilder(rng, {1, 3, 3, 2}).batch_norm().graph();
  expect_error([&] { write_tflite(normalized); }, ErrorKind::kUnsupported, {"batch_norm_1", "run_passes"});
  const Graph no_axes = GraphBuilder(rng, {1, 3, 3, 2}).apply(op::Mean{}).graph();
  expect_error([&] { write_tflite(no_axes); }, ErrorKind::kUnsupported, {"mean_1", "no axes"});
  Graph broken = normalized;
  broken.output = -1;
  expect_error([&] { write_tflite(broken); }, ErrorKind::kUsage, {"output"});
  Graph vast;
  vast.add(op::Clamp{}, {vast.add_input("x", {1, int64_t{1} << 32})});
  expect_error([&] { write_tflite(vast); }, ErrorKind::kUnsupported, {"int32", "4294967296"});
}

TEST(TfliteWriter, FourBitWeightsLieTwoInAByte) {
  Graph graph;
  const ValueId x = graph.add_input("x", {1, 5});
  const ValueId weight = graph.add_constant("w", Tensor<float>({1, 5}, {-7.0f, 7.0f, 2.0f, -1.0f, 5.0f}));
  graph.add(op::Dense{}, {x, weight, graph.add_constant("b", Tensor<float>({1}, {1.0f}))});
  const TfliteFile file = write_tflite(quantized(graph, {.weight_bits = 4}));
  const Reader r(file);
  EXPECT_EQ(r.input(0, 1).type(), TensorType::INT4);
  EXPECT_EQ(list(r.input(0, 1).shape()), (Ints{1, 5}));
  EXPECT_EQ(r.numbers<uint8_t>(r.input(0, 1)), (std::vector<uint8_t>{0x79, 0xF2, 0x05}));
  EXPECT_EQ(list(r.input(0, 1).quantization()->scale()), std::vector<float>{1.0f});
  EXPECT_EQ(file.ledger.weights, 3);
}

TEST(TfliteWriter, FourBitWeightsNeedNewerOperators) {
  Random rng(13, "net");
  const auto version = [](const Graph& graph) {
    const TfliteFile file = write_tflite(quantized(graph, {.weight_bits = 4}));
    return Reader(file).code(0).version();
  };
  EXPECT_EQ(version(GraphBuilder(rng, {1, 4, 4, 2}).conv(2, kThree, true).graph()), 7);
  EXPECT_EQ(version(GraphBuilder(rng, {1, 4, 4, 2}).depthwise(1, kThree, true).graph()), 7);
  EXPECT_EQ(version(GraphBuilder(rng, {1, 4}).dense(3, true).graph()), 10);
}

TEST(TfliteWriter, OtherNarrowWeightsAreBytesAndNarrowActivationsAreRefused) {
  Random rng(14, "net");
  const Graph graph = GraphBuilder(rng, {1, 6}).dense(5, true, Activation::kRelu).dense(3).graph();
  for (const int bits : {2, 3, 5, 6, 7}) {
    const QuantizedGraph q = quantized(graph, {.weight_bits = bits});
    const TfliteFile file = write_tflite(q);
    const Reader r(file);
    EXPECT_EQ(r.input(0, 1).type(), TensorType::INT8);
    EXPECT_EQ(r.numbers<int8_t>(r.input(0, 1)),
              std::vector<int8_t>(q.filters[0].weight.begin(), q.filters[0].weight.end()));
  }
  expect_error([&] { write_tflite(quantized(graph, {.activation_bits = 5})); }, ErrorKind::kUnsupported,
               {graph.value(graph.nodes[0].output).name, "5 bits"});
}

/// What TFLite's loader and kernels ask of a file (core/interpreter_builder.cc, the kernels' Prepare).
void expect_loadable(const TfliteFile& file) {
  const Reader r(file);
  const auto* start = reinterpret_cast<const uint8_t*>(file.bytes.data());
  ASSERT_EQ(r.model.buffers()->Get(0)->data(), nullptr) << "buffer 0 is the empty one";
  for (const auto* buffer : *r.model.buffers()) {
    if (!buffer->data()) continue;
    EXPECT_EQ((buffer->data()->data() - start) % 16, 0);
  }
  std::set<int32_t> known = {r.graph.inputs()->Get(0)};
  for (uint32_t t = 0; t < r.graph.tensors()->size(); ++t) {
    const tflite::Tensor& tensor = r.tensor(static_cast<int32_t>(t));
    ASSERT_LT(tensor.buffer(), r.model.buffers()->size());
    if (tensor.buffer() != 0) known.insert(static_cast<int32_t>(t));
    const auto* q = tensor.quantization();
    if (!q) continue;
    ASSERT_NE(q->scale(), nullptr);
    ASSERT_NE(q->zero_point(), nullptr);
    EXPECT_EQ(q->scale()->size(), q->zero_point()->size());
    const int32_t along = tensor.shape()->Get(static_cast<uint32_t>(q->quantized_dimension()));
    EXPECT_TRUE(q->scale()->size() == 1 || static_cast<int32_t>(q->scale()->size()) == along);
  }
  for (uint32_t i = 0; i < r.graph.operators()->size(); ++i) {
    for (const int32_t id : *r.node(i).inputs()) EXPECT_TRUE(known.contains(id)) << "operator " << i;
    for (const int32_t id : *r.node(i).outputs()) EXPECT_TRUE(known.insert(id).second) << "operator " << i;
    const bool has_bias = r.node(i).inputs()->size() == 3;
    if (!has_bias || r.input(i, 2).type() != TensorType::INT32) continue;
    const auto *weight = r.input(i, 1).quantization(), *bias = r.input(i, 2).quantization();
    for (uint32_t c = 0; c < bias->scale()->size(); ++c) {
      EXPECT_EQ(bias->scale()->Get(c),
                r.input(i, 0).quantization()->scale()->Get(0) * weight->scale()->Get(c));
      EXPECT_EQ(bias->zero_point()->Get(c), 0);
    }
  }
  EXPECT_TRUE(known.contains(r.graph.outputs()->Get(0)));
}

/// A random graph without element-wise functions that TFLite does not know.
Graph random_writable_graph(Random& rng) {
  Graph graph = random_graph(rng);
  run_passes(graph);
  for (Node& node : graph.nodes) {
    if (std::holds_alternative<op::Pointwise>(node.op)) node.op = op::Logistic{};
  }
  return graph;
}

TEST(TfliteWriter, RandomGraphsAreLoadableAndTheLedgerAddsUp) {
  Random rng(9, "net");
  for (int trial = 0; trial < 100; ++trial) {
    const Graph graph = random_writable_graph(rng);
    for (const TfliteFile& file : {write_tflite(graph), write_tflite(quantized(graph))}) {
      expect_loadable(file);
      EXPECT_EQ(file.ledger.total(), static_cast<int64_t>(file.bytes.size()));
      EXPECT_GT(file.ledger.structure, 0);
      if (HasFailure()) FAIL() << to_string(graph);
    }
  }
}

TEST(TfliteWriter, EqualGraphsGiveEqualBytes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random a(seed, "net"), b(seed, "net");
    const Graph first = random_writable_graph(a), second = random_writable_graph(b);
    EXPECT_EQ(write_tflite(first).bytes, write_tflite(second).bytes);
    EXPECT_EQ(write_tflite(quantized(first)).bytes, write_tflite(quantized(second)).bytes);
  }
}

TEST(TfliteWriter, TheMicroNetFits) {
  Random rng(10, "net");
  const Graph graph = micro_graph(rng);
  const TfliteFile file = write_tflite(quantized(graph));
  EXPECT_EQ(file.ledger.weights, 3 * 3 * (3 * 8 + 8 * 16 + 16 * 24 + 24 * 24) + 24 * 10);
  EXPECT_EQ(file.ledger.biases, 4 * (8 + 16 + 24 + 24 + 10));
  EXPECT_LE(file.bytes.size(), 14'500u);
  EXPECT_EQ(write_tflite(graph).ledger.weights, 4 * file.ledger.weights);
}

}  // namespace
}  // namespace qlimit
