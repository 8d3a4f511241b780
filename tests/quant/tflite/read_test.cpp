#include "quant/tflite/read.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/memory.h"
#include "tests/quant/tflite/file_builder.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using tflite::ActivationFunctionType;
using tflite::BuiltinOptions;
using tflite::Padding;
using Change = std::function<void(FileSpec&)>;

QuantizedGraph read(const FileSpec& spec) { return read_tflite(build(spec), "some.tflite"); }

void expect_refused(const FileSpec& spec, ErrorKind kind, std::vector<std::string> fragments) {
  fragments.push_back("some.tflite");
  expect_error([&] { read(spec); }, kind, fragments);
}

// A model of one operation from "x" to "y"; what else it reads stands between them.
FileSpec one_operation(BuiltinOperator code, std::vector<TensorSpec> tensors, OptionsSpec op_options = {}) {
  FileSpec spec;
  const auto last = static_cast<int32_t>(tensors.size()) - 1;
  std::vector<int32_t> inputs;
  for (int32_t i = 0; i < last; ++i) inputs.push_back(i);
  spec.tensors = std::move(tensors);
  spec.operators = {{code, inputs, {last}, std::move(op_options)}};
  spec.inputs = {0};
  spec.outputs = {last};
  return spec;
}

TensorSpec int8_constant(const std::string& name, std::vector<int32_t> shape, std::vector<float> scales,
                         int32_t axis = 0) {
  size_t size = 1;
  for (const int32_t dim : shape) size *= static_cast<size_t>(dim);
  const std::vector<int64_t> zero_points(scales.size(), 0);
  return {.name = name,
          .shape = std::move(shape),
          .scales = std::move(scales),
          .zero_points = zero_points,
          .axis = axis,
          .data = std::string(size, '\x03')};
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

// ---- what is read ----

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

// ---- what is refused ----

TEST(ReadTflite, RefusesDynamicRangeQuantization) {
  expect_refused(one_operation(BuiltinOperator::FULLY_CONNECTED,
                               {float_tensor("x", {1, 4}), int8_constant("weight", {3, 4}, {0.1f}),
                                float_tensor("y", {1, 3})}),
                 ErrorKind::kUnsupported, {"FULLY_CONNECTED", "dynamic range", "INT8 in 'weight'"});
}

TEST(ReadTflite, RefusesComputedWeights) {
  FileSpec spec =
      one_operation(BuiltinOperator::FULLY_CONNECTED,
                    {float_tensor("x", {2, 2}), float_tensor("weight", {2, 2}), float_tensor("y", {2, 2})});
  spec.operators.insert(spec.operators.begin(), {BuiltinOperator::TANH, {0}, {1}});
  expect_refused(spec, ErrorKind::kUnsupported, {"FULLY_CONNECTED", "have to be constants", "'weight'"});
}

TEST(ReadTflite, RefusesWeightsThatAreNoNumbers) {
  FileSpec spec = one_operation(
      BuiltinOperator::ADD, {float_tensor("x", {1, 2}), float_tensor("c", {2}), float_tensor("y", {1, 2})});
  spec.tensors[1].data = bytes_of(std::vector<float>{1.0f, std::numeric_limits<float>::quiet_NaN()});
  expect_refused(spec, ErrorKind::kNumeric, {"ADD", "'c'", "not finite"});
}

// ---- how much memory is taken ----

TEST(ReadTflite, RefusesActivationsThatNeedTooMuchMemory) {
  const int64_t before = memory_statistics().peak_bytes_in_use;
  const auto spec = [](int32_t size) {
    return one_operation(BuiltinOperator::RELU,
                         {float_tensor("x", {1, size, 1024, 128}), float_tensor("y", {1, size, 1024, 128})});
  };
  EXPECT_EQ(read(spec(1023)).graph.nodes.size(), 1u);
  expect_refused(spec(1025), ErrorKind::kUnsupported, {"too much memory", "1073741824"});
  EXPECT_LT(memory_statistics().peak_bytes_in_use, before + 100000);  // a shape alone takes none
}

// 100 layers that share 256 kB of weights would need 25 MB for them, and 100 MB as floats.
TEST(ReadTflite, RefusesConstantsThatAreSharedTooOften) {
  const auto layers = [](int32_t count) {
    FileSpec spec;
    spec.tensors = {int8_constant("weight", {512, 512}, {0.1f}), int8_tensor("x0", {1, 512}, 0.5f, 0)};
    for (int32_t i = 1; i <= count; ++i) {
      spec.tensors.push_back(int8_tensor(concat("x", i), {1, 512}, 0.5f, 0));
      spec.operators.push_back({BuiltinOperator::FULLY_CONNECTED, {i, 0}, {i + 1}});
    }
    spec.inputs = {1};
    spec.outputs = {count + 1};
    return spec;
  };
  EXPECT_EQ(read(layers(10)).graph.nodes.size(), 10u);
  expect_refused(layers(100), ErrorKind::kUnsupported, {"share their constants"});
}

TEST(ReadTflite, RefusesOperationsByName) {
  FileSpec spec = every_operation();
  spec.operators[6].code = BuiltinOperator::TRANSPOSE;
  expect_refused(spec, ErrorKind::kUnsupported,
                 {"TRANSPOSE is not supported", "operator 6", "CONV_2D", "SOFTMAX"});
  spec.operators[6].code = static_cast<BuiltinOperator>(206);
  expect_refused(spec, ErrorKind::kUnsupported, {"operator code 206 is not supported", "operator 6"});
  spec.operators[6].code = BuiltinOperator::CUSTOM;
  spec.operators[6].custom_code = "TFLite_Detection_PostProcess";
  expect_refused(spec, ErrorKind::kUnsupported, {"CUSTOM 'TFLite_Detection_PostProcess' is not supported"});
}

TEST(ReadTflite, RefusesSeveralInputsAndOutputs) {
  FileSpec spec = every_operation();
  spec.inputs.push_back(1);
  expect_refused(spec, ErrorKind::kUnsupported, {"one input", "found 2"});
  spec.inputs.clear();
  expect_refused(spec, ErrorKind::kUnsupported, {"one input", "found 0"});
  spec = every_operation();
  spec.outputs.push_back(1);
  expect_refused(spec, ErrorKind::kUnsupported, {"one output", "found 2"});
}

TEST(ReadTflite, RefusesGraphsThatCannotBeComputed) {
  FileSpec spec = every_operation();
  std::swap(spec.operators[2], spec.operators[3]);
  expect_refused(spec, ErrorKind::kData,
                 {"'conv' is read before it is computed", "operator 2 (DEPTHWISE_CONV_2D)"});
  spec = every_operation();
  spec.operators[6].inputs[0] = spec.operators[7].outputs[0];  // a cycle
  expect_refused(spec, ErrorKind::kData, {"'relu6' is read before it is computed", "operator 6 (RELU)"});
  spec = every_operation();
  spec.operators[6].outputs = spec.operators[5].outputs;
  expect_refused(spec, ErrorKind::kData,
                 {"'product' is computed though it has a value already", "operator 6 (RELU)"});
  spec = every_operation();
  spec.operators[6].outputs[0] = 4;
  expect_refused(spec, ErrorKind::kData, {"'filter' is computed though it has a value already"});
  spec = every_operation();
  spec.operators.erase(spec.operators.begin() + 6);
  expect_refused(spec, ErrorKind::kData, {"'relu' is never computed", "operator 6 (RELU6)"});
  spec = every_operation();
  spec.outputs = {0};
  expect_refused(spec, ErrorKind::kUnsupported, {"computes nothing"});
  spec.outputs = {4};
  expect_refused(spec, ErrorKind::kUnsupported, {"computes nothing"});
}

struct Wrong {
  std::string tensor;  // the one that is changed
  std::function<void(TensorSpec&)> change;
  ErrorKind kind;
  std::vector<std::string> fragments;
};

TEST(ReadTflite, RefusesTensorsThatDoNotFitTheirOperation) {
  constexpr auto kData = ErrorKind::kData;
  constexpr auto kUnsupported = ErrorKind::kUnsupported;
  const auto scale = [](float x) { return [x](TensorSpec& t) { t.scales = {x}; }; };
  const auto shape = [](std::vector<int32_t> x) { return [x](TensorSpec& t) { t.shape = x; }; };
  const auto type = [](TensorType x) { return [x](TensorSpec& t) { t.type = x; }; };
  const std::vector<Wrong> cases = {
      // Types
      {"images", type(TensorType::UINT8), kUnsupported, {"FLOAT32 or INT8", "UINT8 in 'images'"}},
      {"relu", type(TensorType::INT16), kUnsupported, {"operator 6 (RELU)", "expected INT8, found INT16"}},
      {"relu",
       type(TensorType::FLOAT32),
       kUnsupported,
       {"operator 6 (RELU)", "expected INT8, found FLOAT32"}},
      {"quantized", type(TensorType::UINT8), kUnsupported, {"operator 0 (QUANTIZE)", "found UINT8"}},
      {"filter",
       type(TensorType::INT4),
       kUnsupported,
       {"operator 2 (CONV_2D)", "weights", "INT4 in 'filter'"}},
      {"bias",
       [](TensorSpec& t) { t.type = TensorType::FLOAT32; },
       kUnsupported,
       {"CONV_2D", "INT32", "FLOAT32 in 'bias'"}},
      {"real", type(TensorType::FLOAT16), kUnsupported, {"DEQUANTIZE", "INT8 -> FLOAT16"}},
      // Shapes
      {"images", shape({1, 1, 6, 6, 2}), kUnsupported, {"'images'", "5 dimensions"}},
      {"images", shape({1, 6, 0, 2}), kUnsupported, {"'images'", "no elements"}},
      {"conv",
       shape({1, 6, 5, 5}),
       kData,
       {"operator 2 (CONV_2D) 'conv'", "expected [1,6,5,4], found [1,6,5,5]"}},
      {"bias",
       [](TensorSpec& t) {
         t.shape = {2, 1}, t.data.resize(8);
       },
       kData,
       {"CONV_2D", "biases", "expected 4, found 2"}},
      {"matrix", shape({2, 16}), kData, {"FULLY_CONNECTED"}},
      {"paddings", shape({2, 4}), kData, {"PAD", "[4,2]"}},
      // Quantization
      {"average", scale(0.04f), kData, {"AVERAGE_POOL_2D", "one scale and zero point"}},
      {"padded", [](TensorSpec& t) { t.zero_points = {4}; }, kData, {"PAD", "one scale and zero point"}},
      {"reshaped", scale(0.04f), kData, {"RESHAPE", "one scale and zero point"}},
      {"joined", scale(0.04f), kData, {"CONCATENATION", "one scale and zero point"}},
      {"logistic", scale(0.004f), kData, {"LOGISTIC", "1/256"}},
      {"relu",
       [](TensorSpec& t) { t.scales.clear(), t.zero_points.clear(); },
       kData,
       {"RELU", "needs one scale"}},
      {"filter",
       [](TensorSpec& t) { t.zero_points[2] = 1; },
       kUnsupported,
       {"CONV_2D", "zero point", "1 in 'filter'"}},
      {"filter",
       [](TensorSpec& t) { t.scales.clear(), t.zero_points.clear(); },
       kData,
       {"CONV_2D", "no scale"}},
      {"filter",
       [](TensorSpec& t) { t.scales.resize(3), t.zero_points.resize(3), t.axis = 1; },
       kData,
       {"CONV_2D", "wrong dimension", "expected 0, found 1"}},
      {"bias",
       [](TensorSpec& t) { t.scales = {1.0f}, t.zero_points = {5}; },
       kUnsupported,
       {"CONV_2D", "5 in 'bias'"}},
      // Constants
      {"filter", [](TensorSpec& t) { t.data.clear(); }, kData, {"'filter' is never computed", "CONV_2D"}},
      {"axes",
       [](TensorSpec& t) {
         t.data = bytes_of(std::vector<int32_t>{1, 4});
       },
       kData,
       {"MEAN", "no such axis", "found 4"}},
      {"axes",
       [](TensorSpec& t) {
         t.data = bytes_of(std::vector<int32_t>{1, -5});
       },
       kData,
       {"MEAN", "no such axis"}},
      {"paddings",
       [](TensorSpec& t) { t.data[12] = '\xff', t.data[13] = t.data[14] = t.data[15] = '\xff'; },
       kData,
       {"PAD", "out of range", "found -1"}},
      {"flat",
       [](TensorSpec& t) {
         t.data = bytes_of(std::vector<int32_t>{3, -1});
       },
       kData,
       {"RESHAPE"}},
      {"flat",
       [](TensorSpec& t) {
         t.data = bytes_of(std::vector<int32_t>{-1, -1});
       },
       kData,
       {"RESHAPE", "found dimension -1"}},
      {"flat",
       [](TensorSpec& t) {
         t.data = bytes_of(std::vector<int32_t>{0, 8});
       },
       kData,
       {"RESHAPE", "found dimension 0"}},
  };
  for (const Wrong& wrong : cases) {
    FileSpec spec = every_operation();
    for (TensorSpec& tensor : spec.tensors) {
      if (tensor.name == wrong.tensor) wrong.change(tensor);
    }
    SCOPED_TRACE(wrong.tensor);
    expect_refused(spec, wrong.kind, wrong.fragments);
  }
}

}  // namespace
}  // namespace qlimit
