#include "quant/tflite/write.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "quant/passes.h"
#include "quant/tflite/schema_generated.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using tflite::ActivationFunctionType;
using tflite::BuiltinOperator;
using tflite::TensorType;

const Window kThree = {.kernel_h = 3, .kernel_w = 3};
const Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// The root of a file that flatbuffers' verifier accepts.
const tflite::Model& verified(const TfliteFile& file) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.bytes.data());
  flatbuffers::Verifier verifier(bytes, file.bytes.size());
  if (!tflite::VerifyModelBuffer(verifier)) throw std::runtime_error("not a valid flatbuffer");
  return *tflite::GetModel(bytes);
}

/// Reads a file that is known to be good.
struct Reader {
  explicit Reader(const TfliteFile& file) : model(verified(file)), graph(*model.subgraphs()->Get(0)) {}

  const tflite::Operator& node(uint32_t i) const { return *graph.operators()->Get(i); }
  const tflite::OperatorCode& code(uint32_t i) const {
    return *model.operator_codes()->Get(node(i).opcode_index());
  }
  const tflite::Tensor& tensor(int32_t i) const { return *graph.tensors()->Get(static_cast<uint32_t>(i)); }
  const tflite::Tensor& input(uint32_t i, uint32_t k) const { return tensor(node(i).inputs()->Get(k)); }
  const tflite::Tensor& output(uint32_t i) const { return tensor(node(i).outputs()->Get(0)); }
  /// The numbers of a constant; none for a tensor that is computed.
  template <typename T>
  std::vector<T> numbers(const tflite::Tensor& t) const {
    const auto* data = model.buffers()->Get(t.buffer())->data();
    std::vector<T> result(data ? data->size() / sizeof(T) : 0);
    if (data) std::memcpy(result.data(), data->data(), data->size());
    return result;
  }

  const tflite::Model& model;
  const tflite::SubGraph& graph;
};

template <typename T>
std::vector<T> list(const flatbuffers::Vector<T>* v) {
  return v ? std::vector<T>(v->begin(), v->end()) : std::vector<T>();
}
using Ints = std::vector<int32_t>;
using Longs = std::vector<int64_t>;

/// A quantized graph whose scales do not matter: every activation takes [-1,1] or, every second one, [0,2].
QuantizedGraph quantized(const Graph& graph, const QuantizeOptions& options = {}) {
  Ranges ranges(graph.values.size(), {.min = -1.0f, .max = 1.0f});
  for (size_t i = 0; i < ranges.size(); i += 2) ranges[i] = {.min = 0.0f, .max = 2.0f};
  return quantize(graph, ranges, options);
}

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
  // Without one, TFLite's convolution refuses to run (kernels/conv.cc) and its optimised depthwise
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

/// The same for a graph without weights that quantize() would change: every activation on one grid.
QuantizedGraph on_one_grid(const Graph& graph) {
  QuantizedGraph q;
  q.graph = graph;
  for (Value& value : q.graph.values) value.type = DataType::kInt8;
  q.params.resize(graph.values.size(), {.scale = 0.5f, .zero_point = 1});
  q.filters.resize(graph.nodes.size());
  return q;
}

/// What an operation is called in a file, and the least version that can do it, in floats and in integers:
/// the table of TFLite's tools/versioning/op_version.cc.
struct FormCase {
  std::string name;
  Graph graph;
  BuiltinOperator code;
  int32_t float_version, int8_version;
};

std::vector<FormCase> form_cases() {
  Random rng(2, "net");
  const auto net = [&] { return GraphBuilder(rng, {1, 4, 4, 2}); };
  const auto apply = [&](const Op& op) { return net().apply(op).graph(); };
  const auto two = [&](const Op& op) {
    Graph graph = net().graph();
    graph.add(op, {graph.input, graph.input});
    return graph;
  };
  Graph grouped = net().graph();
  grouped.add(op::Conv2D{}, {grouped.input, grouped.add_constant("w", random_tensor({4, 1, 1, 1}, rng))});
  const Window dilated = {.kernel_h = 2, .kernel_w = 2, .dilation_h = 2, .dilation_w = 2};
  return {
      {"conv2d", net().conv(2, kThree, true).graph(), BuiltinOperator::CONV_2D, 1, 3},
      {"grouped conv2d", grouped, BuiltinOperator::CONV_2D, 6, 6},
      {"depthwise", net().depthwise(1, kThree, true).graph(), BuiltinOperator::DEPTHWISE_CONV_2D, 1, 3},
      {"dilated depthwise", net().depthwise(1, dilated, true).graph(), BuiltinOperator::DEPTHWISE_CONV_2D, 2,
       3},
      {"dense", net().flatten().dense(3, true).graph(), BuiltinOperator::FULLY_CONNECTED, 1, 4},
      {"dense without bias", net().flatten().dense(3, false).graph(), BuiltinOperator::FULLY_CONNECTED, 6, 6},
      {"max pool", apply(op::MaxPool2D{kHalve}), BuiltinOperator::MAX_POOL_2D, 1, 2},
      {"average pool", apply(op::AveragePool2D{kHalve}), BuiltinOperator::AVERAGE_POOL_2D, 1, 2},
      {"mean", apply(op::Mean{{1, 2}}), BuiltinOperator::MEAN, 1, 2},
      {"add", two(op::Add{}), BuiltinOperator::ADD, 1, 2},
      {"mul", two(op::Mul{}), BuiltinOperator::MUL, 1, 2},
      {"pad", apply(op::Pad{{0, 1, 1, 0}, {0, 2, 0, 0}}), BuiltinOperator::PAD, 1, 2},
      {"concatenation", two(op::Concatenation{3}), BuiltinOperator::CONCATENATION, 1, 2},
      {"relu", apply(op::Clamp{Activation::kRelu}), BuiltinOperator::RELU, 1, 2},
      {"relu6", apply(op::Clamp{Activation::kRelu6}), BuiltinOperator::RELU6, 1, 2},
      {"relu_n1_to_1", apply(op::Clamp{Activation::kReluN1To1}), BuiltinOperator::RELU_N1_TO_1, 1, 1},
      {"logistic", apply(op::Logistic{}), BuiltinOperator::LOGISTIC, 1, 2},
      {"tanh", apply(op::Tanh{}), BuiltinOperator::TANH, 1, 2},
      {"softmax", apply(op::Softmax{}), BuiltinOperator::SOFTMAX, 1, 2},
      {"reshape", apply(op::Reshape{{1, 2, 16}}), BuiltinOperator::RESHAPE, 1, 1},
  };
}

TEST(TfliteWriter, EveryOperationHasItsCodeAndVersion) {
  for (const FormCase& c : form_cases()) {
    SCOPED_TRACE(c.name);
    const TfliteFile floats = write_tflite(c.graph);
    const bool merges = std::holds_alternative<op::Concatenation>(c.graph.nodes[0].op);
    const TfliteFile integers = write_tflite(merges ? on_one_grid(c.graph) : quantized(c.graph));
    for (const TfliteFile* file : {&floats, &integers}) {
      const Reader r(*file);
      ASSERT_EQ(r.graph.operators()->size(), 1u);
      EXPECT_EQ(r.code(0).builtin_code(), c.code);
      EXPECT_EQ(r.code(0).deprecated_builtin_code(), static_cast<int8_t>(c.code));
      EXPECT_EQ(r.code(0).version(), file == &floats ? c.float_version : c.int8_version);
    }
  }
}

TEST(TfliteWriter, AttributesAreConstants) {
  Random rng(3, "net");
  const Graph mean = GraphBuilder(rng, {1, 4, 4, 2}).apply(op::Mean{{1, 2}, true}).graph();
  const TfliteFile mean_file = write_tflite(mean);
  const Reader m(mean_file);
  EXPECT_EQ(m.input(0, 1).type(), TensorType::INT32);
  EXPECT_EQ(list(m.input(0, 1).shape()), Ints{2});
  EXPECT_EQ(m.numbers<int32_t>(m.input(0, 1)), (Ints{1, 2}));
  EXPECT_TRUE(m.node(0).builtin_options_as_ReducerOptions()->keep_dims());
  EXPECT_EQ(mean_file.ledger.weights, 0);

  const Graph pad = GraphBuilder(rng, {1, 4, 4, 2}).apply(op::Pad{{0, 1, 2, 0}, {0, 3, 4, 5}}).graph();
  const TfliteFile pad_file = write_tflite(pad);
  const Reader p(pad_file);
  EXPECT_EQ(list(p.input(0, 1).shape()), (Ints{4, 2}));
  EXPECT_EQ(p.numbers<int32_t>(p.input(0, 1)), (Ints{0, 0, 1, 3, 2, 4, 0, 5}));
  EXPECT_EQ(list(p.output(0).shape()), (Ints{1, 8, 10, 7}));
}

TEST(TfliteWriter, OptionsAreReadBack) {
  Random rng(4, "net");
  GraphBuilder net(rng, {2, 5, 5, 2});
  net.apply(op::MaxPool2D{{.kernel_h = 3, .kernel_w = 2, .stride_h = 1, .stride_w = 2}, Activation::kRelu});
  const Shape pooled = net.shape();
  net.add(net.at(), Activation::kRelu6);
  net.apply(op::Softmax{0.5f}).apply(op::Reshape{{2, pooled.size() / 2}});
  const TfliteFile file = write_tflite(net.graph());
  const Reader r(file);
  const auto* pool = r.node(0).builtin_options_as_Pool2DOptions();
  EXPECT_EQ(pool->filter_height(), 3);
  EXPECT_EQ(pool->filter_width(), 2);
  EXPECT_EQ(pool->stride_h(), 1);
  EXPECT_EQ(pool->stride_w(), 2);
  EXPECT_EQ(pool->padding(), tflite::Padding::SAME);
  EXPECT_EQ(pool->fused_activation_function(), ActivationFunctionType::RELU);
  EXPECT_EQ(r.node(1).builtin_options_as_AddOptions()->fused_activation_function(),
            ActivationFunctionType::RELU6);
  EXPECT_TRUE(r.node(1).builtin_options_as_AddOptions()->pot_scale_int16());
  EXPECT_EQ(r.node(2).builtin_options_as_SoftmaxOptions()->beta(), 0.5f);
  // The batch stays open: -1 stands for what is left over.
  EXPECT_EQ(list(r.node(3).builtin_options_as_ReshapeOptions()->new_shape()),
            (Ints{-1, static_cast<int32_t>(pooled.size() / 2)}));
}

TEST(TfliteWriter, FloatBordersAreOperatorsOfTheirOwn) {
  Graph graph;
  graph.add_input("x", {1, 4});
  const ValueId q = graph.add(op::Quantize{}, {graph.input});
  const ValueId other_grid = graph.add(op::Quantize{}, {q});
  graph.add(op::Dequantize{}, {other_grid});
  QuantizedGraph mixed = on_one_grid(graph);
  for (const ValueId id : {graph.input, graph.output}) mixed.graph.value(id).type = DataType::kFloat32;
  const TfliteFile file = write_tflite(mixed);
  const Reader r(file);
  ASSERT_EQ(r.graph.operators()->size(), 3u);
  EXPECT_EQ(r.model.operator_codes()->size(), 2u) << "float to int8 and int8 to int8 are one operation";
  EXPECT_EQ(r.code(1).builtin_code(), BuiltinOperator::QUANTIZE);
  EXPECT_EQ(r.code(1).version(), 1);
  EXPECT_EQ(r.code(2).builtin_code(), BuiltinOperator::DEQUANTIZE);
  EXPECT_EQ(r.code(2).version(), 2);
  EXPECT_EQ(r.input(0, 0).type(), TensorType::FLOAT32);
  EXPECT_EQ(r.input(0, 0).quantization(), nullptr);
  EXPECT_EQ(r.input(1, 0).type(), TensorType::INT8);
  EXPECT_EQ(r.output(2).type(), TensorType::FLOAT32);
}

TEST(TfliteWriter, AMultiplicationThatEnlargesNeedsVersion3) {
  Graph graph;
  graph.add_input("x", {1, 4});
  graph.add(op::Mul{}, {graph.input, graph.input});
  QuantizedGraph q = quantized(graph);
  q.params[static_cast<size_t>(graph.input)] = {.scale = 2.0f};
  q.params[static_cast<size_t>(graph.output)] = {.scale = 4.0f};  // 2*2/4 = 1: the least that counts
  EXPECT_EQ(Reader(write_tflite(q)).code(0).version(), 3);
}

TEST(TfliteWriter, AConstantOperandLiesOnItsGrid) {
  Graph graph;
  graph.add_input("x", {1, 2});
  const ValueId c = graph.add_constant("c", Tensor<float>({2}, {-1.0f, 0.5f}));
  graph.add(op::Add{}, {c, graph.input});
  QuantizedGraph q = quantized(graph);
  q.params[static_cast<size_t>(c)] = {.scale = 0.25f, .zero_point = 3};
  const TfliteFile file = write_tflite(q);
  const Reader r(file);
  EXPECT_EQ(r.input(0, 0).type(), TensorType::INT8);
  EXPECT_EQ(r.numbers<int8_t>(r.input(0, 0)), (std::vector<int8_t>{-1, 5}));
  EXPECT_EQ(list(r.input(0, 0).quantization()->zero_point()), Longs{3});
  EXPECT_EQ(r.node(0).inputs()->Get(1), r.graph.inputs()->Get(0));
}

TEST(TfliteWriter, NoReshapeBeforeADenseLayer) {
  Random rng(5, "net");
  const Graph graph = GraphBuilder(rng, {1, 2, 3, 4}).flatten().dense(5).graph();
  const TfliteFile floats = write_tflite(graph), integers = write_tflite(quantized(graph));
  for (const TfliteFile* file : {&floats, &integers}) {
    const Reader r(*file);
    ASSERT_EQ(r.graph.operators()->size(), 1u);
    EXPECT_EQ(list(r.input(0, 0).shape()), (Ints{1, 2, 3, 4}));
    EXPECT_FALSE(r.node(0).builtin_options_as_FullyConnectedOptions()->keep_num_dims());
    EXPECT_EQ(r.graph.tensors()->size(), 4u);
  }
}

TEST(TfliteWriter, AReshapeThatSomebodyElseReadsStays) {
  Random rng(6, "net");
  GraphBuilder net(rng, {1, 2, 3});
  net.flatten();
  const ValueId flat = net.at();
  net.dense(6).add(flat);
  const TfliteFile file = write_tflite(net.graph());
  const Reader r(file);
  ASSERT_EQ(r.graph.operators()->size(), 3u);
  EXPECT_EQ(r.code(0).builtin_code(), BuiltinOperator::RESHAPE);
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
