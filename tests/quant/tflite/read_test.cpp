#include "quant/tflite/read.h"

#include <gtest/gtest.h>

#include "tests/quant/tflite/file_builder.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using tflite::ActivationFunctionType;
using tflite::BuiltinOptions;
using tflite::Padding;

QuantizedGraph read(const FileSpec& spec) { return read_tflite(build(spec), "some.tflite"); }

void expect_refused(const FileSpec& spec, ErrorKind kind, std::vector<std::string> fragments) {
  fragments.push_back("some.tflite");
  expect_error([&] { read(spec); }, kind, fragments);
}

OptionsSpec conv_options(Padding padding, int stride_w, int stride_h, int dilation_w = 1,
                         int dilation_h = 1) {
  return options<BuiltinOptions::Conv2DOptions>(tflite::CreateConv2DOptions, padding, stride_w, stride_h,
                                                ActivationFunctionType::RELU6, dilation_w, dilation_h,
                                                TensorType::FLOAT32);
}

OptionsSpec dense_options(bool keep_num_dims) {
  return options<BuiltinOptions::FullyConnectedOptions>(
      tflite::CreateFullyConnectedOptions, ActivationFunctionType::NONE,
      tflite::FullyConnectedOptionsWeightsFormat::DEFAULT, keep_num_dims, false, TensorType::FLOAT32);
}

template <typename O>
const O& op_of(const QuantizedGraph& q, size_t node = 0) {
  return std::get<O>(q.graph.nodes[node].op);
}

TEST(ReadTflite, EveryOperationBecomesANode) {
  const QuantizedGraph q = read(every_operation());
  std::string names;
  for (const Node& node : q.graph.nodes) names += op_name(node.op) + ' ';
  EXPECT_EQ(names,
            "quantize pad conv2d depthwise_conv2d add mul relu relu6 average_pool2d max_pool2d concatenation "
            "mean reshape "
            "dense tanh quantize logistic dequantize softmax ");
  EXPECT_EQ(q.graph.value(q.graph.input).type, DataType::kFloat32);
  EXPECT_EQ(q.graph.value(q.graph.nodes[0].output).type, DataType::kInt8);
  EXPECT_EQ(q.graph.value(q.graph.output).type, DataType::kFloat32);
  EXPECT_EQ(q.graph.value(q.graph.output).name, "probabilities");
}

TEST(ReadTflite, ConvolutionHasItsWindowWeightsAndBiases) {
  const QuantizedGraph q = read(one_operation(
      BuiltinOperator::CONV_2D,
      {int8_tensor("x", {2, 9, 8, 4}, 0.5f, -7),
       int8_constant("weight", {6, 2, 3, 2}, {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}),
       int32_constant("bias", {6}, {1, -2, 3, -4, 5, -6}), int8_tensor("y", {2, 4, 4, 6}, 0.25f, 9)},
      conv_options(Padding::VALID, 1, 2, 2, 1)));
  EXPECT_EQ(op_of<op::Conv2D>(q).window, (Window{.kernel_h = 2,
                                                 .kernel_w = 3,
                                                 .stride_h = 2,
                                                 .stride_w = 1,
                                                 .dilation_h = 1,
                                                 .dilation_w = 2,
                                                 .padding = qlimit::Padding::kValid}));
  EXPECT_EQ(op_of<op::Conv2D>(q).activation, Activation::kRelu6);
  const QuantizedFilter& filter = q.filters[0];
  EXPECT_EQ(filter.weight.shape(), Shape({6, 2, 3, 2}));
  EXPECT_EQ(filter.weight[71], 3);
  EXPECT_EQ(filter.scales, (std::vector<float>{0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}));
  EXPECT_EQ(filter.bias, (std::vector<int32_t>{1, -2, 3, -4, 5, -6}));
  const Node& node = q.graph.nodes[0];
  EXPECT_EQ(q.params_of(node.inputs[0]), (AffineParams{0.5f, -7}));
  EXPECT_EQ(q.params_of(node.output), (AffineParams{0.25f, 9}));
  // The same as real numbers: 3 * 0.2, and -2 * 0.5 * 0.2.
  EXPECT_FLOAT_EQ(q.graph.value(node.inputs[1]).constant[12], 0.6f);
  EXPECT_FLOAT_EQ(q.graph.value(node.inputs[2]).constant[1], -0.2f);
}

// A channel that is all but switched off: the product of two small scales may have no normal float.
TEST(ReadTflite, BiasScalesMayVanish) {
  FileSpec spec = every_operation();
  TensorSpec& bias = spec.tensors[5];
  ASSERT_EQ(bias.name, "bias");
  bias.scales = {1e-40f};
  bias.zero_points = {0};
  EXPECT_EQ(read(spec).graph.nodes.size(), 19u);
}

TEST(ReadTflite, LayerWithoutBiasHasZeros) {
  const QuantizedGraph q =
      read(one_operation(BuiltinOperator::FULLY_CONNECTED,
                         {int8_tensor("x", {1, 4}, 0.5f, 0), int8_constant("weight", {3, 4}, {0.1f}),
                          int8_tensor("y", {1, 3}, 0.25f, 9)}));
  EXPECT_EQ(q.filters[0].bias, (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(q.graph.nodes[0].inputs.size(), 2u);
}

TEST(ReadTflite, DenseLayerKeepsDimensions) {
  const auto spec = [](std::vector<int32_t> shape, bool keep) {
    return one_operation(
        BuiltinOperator::FULLY_CONNECTED,
        {int8_tensor("x", {2, 5, 4}, 0.5f, 0), int8_constant("weight", {3, 4}, {0.1f, 0.2f, 0.3f}),
         int8_tensor("y", std::move(shape), 0.25f, 9)},
        dense_options(keep));
  };
  const QuantizedGraph kept = read(spec({2, 5, 3}, true));
  EXPECT_EQ(kept.graph.nodes.size(), 2u);
  EXPECT_EQ(kept.graph.value(kept.graph.nodes[0].output).shape, Shape({10, 3}));
  EXPECT_EQ(kept.graph.value(kept.graph.output).shape, Shape({2, 5, 3}));
  EXPECT_EQ(kept.params_of(kept.graph.nodes[0].output), (AffineParams{0.25f, 9}));
  const QuantizedGraph flat = read(spec({10, 3}, false));
  EXPECT_EQ(flat.graph.nodes.size(), 1u);
  expect_refused(spec({10, 3}, true), ErrorKind::kData, {"FULLY_CONNECTED", "[2,5,3]", "[10,3]"});
}

TEST(ReadTflite, ReshapeFromTheOptionOrTheInput) {
  const std::vector<TensorSpec> ends = {int8_tensor("x", {2, 6}, 0.5f, 0), int8_tensor("y", {3, 4}, 0.5f, 0)};
  const OptionsSpec option = {BuiltinOptions::ReshapeOptions, [](flatbuffers::FlatBufferBuilder& file) {
                                const auto shape = file.CreateVector(std::vector<int32_t>{3, -1});
                                return tflite::CreateReshapeOptions(file, shape).Union();
                              }};
  EXPECT_EQ(op_of<op::Reshape>(read(one_operation(BuiltinOperator::RESHAPE, ends, option))).shape,
            Shape({3, 4}));
  const FileSpec by_input =
      one_operation(BuiltinOperator::RESHAPE, {ends[0], int32_constant("shape", {2}, {-1, 4}), ends[1]});
  EXPECT_EQ(op_of<op::Reshape>(read(by_input)).shape, Shape({3, 4}));
}

// TensorFlow's converter writes this for Keras' Flatten if the batch is open.
TEST(ReadTflite, ReshapeToAShapeThatIsComputed) {
  FileSpec spec =
      one_operation(BuiltinOperator::RESHAPE, {int8_tensor("x", {1, 2, 3}, 0.5f, 0),
                                               {.name = "shape", .shape = {2}, .type = TensorType::INT32},
                                               int8_tensor("y", {1, 6}, 0.5f, 0)});
  spec.tensors.push_back({.name = "all", .shape = {3}, .type = TensorType::INT32});
  spec.tensors.push_back({.name = "batch", .shape = {}, .type = TensorType::INT32});
  spec.operators.insert(spec.operators.begin(), {{BuiltinOperator::SHAPE, {0}, {3}},
                                                 {BuiltinOperator::STRIDED_SLICE, {3}, {4}},
                                                 {BuiltinOperator::PACK, {4}, {1}}});
  const QuantizedGraph q = read(spec);
  ASSERT_EQ(q.graph.nodes.size(), 1u);
  EXPECT_EQ(op_of<op::Reshape>(q).shape, Shape({1, 6}));
  spec.tensors[2].shape = {1, 1};  // for another batch than the input's
  expect_refused(spec, ErrorKind::kUnsupported,
                 {"operator 3 (RESHAPE) 'y'", "computed while the model runs"});
}

TEST(ReadTflite, ConstantsMayBeOperands) {
  const FileSpec spec = one_operation(
      BuiltinOperator::MUL, {int8_tensor("x", {2, 3, 3, 4}, 0.5f, 0), int8_constant("c", {4}, {0.125f}),
                             int8_tensor("y", {2, 3, 3, 4}, 0.5f, 0)});
  const QuantizedGraph q = read(spec);
  const ValueId constant = q.graph.nodes[0].inputs[1];
  EXPECT_EQ(q.graph.value(constant).type, DataType::kInt8);
  EXPECT_EQ(q.graph.value(constant).constant[3], 0.375f);
  EXPECT_EQ(q.params_of(constant), (AffineParams{0.125f, 0}));
  // A single number without dimensions.
  FileSpec scalar = spec;
  scalar.tensors[1].shape.clear();
  scalar.tensors[1].data = "\x03";
  EXPECT_EQ(read(scalar).graph.value(constant).constant.size(), 1);
}

TEST(ReadTflite, FloatWeightsBehindDequantizeAreComputedNow) {
  FileSpec spec =
      one_operation(BuiltinOperator::FULLY_CONNECTED,
                    {float_tensor("x", {1, 2}), float_tensor("weight", {2, 2}), float_tensor("y", {1, 2})});
  spec.tensors.push_back(int8_constant("stored", {2, 2}, {0.5f, 2.0f}));
  spec.tensors.back().zero_points = {0, 1};
  spec.operators.insert(spec.operators.begin(), {BuiltinOperator::DEQUANTIZE, {3}, {1}});
  const QuantizedGraph q = read(spec);
  ASSERT_EQ(q.graph.nodes.size(), 1u);
  const Tensor<float>& weight = q.graph.value(q.graph.nodes[0].inputs[1]).constant;
  EXPECT_EQ(std::vector<float>(weight.begin(), weight.end()), (std::vector<float>{1.5f, 1.5f, 4.0f, 4.0f}));
  EXPECT_TRUE(q.filters[0].weight.empty());
}

TEST(ReadTflite, FourBitWeightsLieTwoInAByte) {
  TensorSpec weight = int8_constant("weight", {1, 5}, {0.5f});
  weight.type = TensorType::INT4;
  weight.data = {'\x7F', '\x08', '\x53'};  // the lower half first; the last upper half is no weight
  FileSpec spec = one_operation(BuiltinOperator::FULLY_CONNECTED, {int8_tensor("x", {1, 5}, 0.5f, 0), weight,
                                                                   int8_tensor("y", {1, 1}, 0.5f, 0)});
  const QuantizedGraph q = read(spec);
  const QuantizedFilter& filter = q.filters[0];
  EXPECT_EQ(filter.bits, 4);
  EXPECT_EQ(std::vector<int8_t>(filter.weight.begin(), filter.weight.end()),
            (std::vector<int8_t>{-1, 7, -8, 0, 3}));
  EXPECT_EQ(q.graph.value(q.graph.nodes[0].inputs[1]).constant[1], 3.5f);
  for (const char* wrong : {"ab", "abcd", "abcde"}) {  // half a weight missing, one too many, one in a byte
    spec.tensors[1].data = wrong;
    expect_error([&] { read(spec); }, ErrorKind::kData, {"'weight'", "3 bytes"});
  }
}

TEST(ReadTflite, LeavesOutWhatTheOutputDoesNotNeed) {
  FileSpec spec = every_operation();
  spec.tensors.push_back(int8_tensor("unused", {1, 4}, 1.0f, 0));
  const auto unused = static_cast<int32_t>(spec.tensors.size()) - 1;
  spec.operators.insert(spec.operators.begin() + 1, {BuiltinOperator::TRANSPOSE, {1}, {unused}});
  EXPECT_EQ(read(spec).graph.nodes.size(), 19u);
}

TEST(ReadTflite, PaddingsMayHave64Bits) {
  TensorSpec paddings = int32_constant("paddings", {2, 2}, {});
  paddings.type = TensorType::INT64;
  paddings.data = bytes_of(std::vector<int64_t>{1, 0, 2, 3});
  const QuantizedGraph q = read(
      one_operation(BuiltinOperator::PAD, {float_tensor("x", {2, 3}), paddings, float_tensor("y", {3, 8})}));
  EXPECT_EQ(op_of<op::Pad>(q).before, (std::array<int64_t, 4>{1, 2, 0, 0}));
  EXPECT_EQ(op_of<op::Pad>(q).after, (std::array<int64_t, 4>{0, 3, 0, 0}));
}

}  // namespace
}  // namespace qlimit
