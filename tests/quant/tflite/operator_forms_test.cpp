// What each operation is called in a file, and how it is written there.
#include <gtest/gtest.h>

#include "tests/quant/tflite/written_file.h"

namespace qlimit {
namespace {

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

}  // namespace
}  // namespace qlimit
