// What the reader refuses, each in one line that names file, operation and tensor.
#include <gtest/gtest.h>

#include <limits>

#include "core/memory.h"
#include "quant/tflite/read.h"
#include "tests/quant/tflite/file_builder.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

QuantizedGraph read(const FileSpec& spec) { return read_tflite(build(spec), "some.tflite"); }

void expect_refused(const FileSpec& spec, ErrorKind kind, std::vector<std::string> fragments) {
  fragments.push_back("some.tflite");
  expect_error([&] { read(spec); }, kind, fragments);
}

TEST(RefuseTflite, PoolsOfAbsurdSize) {
  const auto absurd =
      options<tflite::BuiltinOptions::Pool2DOptions>(tflite::CreatePool2DOptions, tflite::Padding::SAME, 1, 1,
                                                     1 << 20, 1 << 20, tflite::ActivationFunctionType::NONE);
  expect_refused(one_operation(BuiltinOperator::MAX_POOL_2D,
                               {float_tensor("x", {1, 4, 4, 1}), float_tensor("y", {1, 4, 4, 1})}, absurd),
                 ErrorKind::kUnsupported, {"MAX_POOL_2D", "window is too large", "found 1048576x1048576"});
}

TEST(RefuseTflite, DynamicRangeQuantization) {
  expect_refused(one_operation(BuiltinOperator::FULLY_CONNECTED,
                               {float_tensor("x", {1, 4}), int8_constant("weight", {3, 4}, {0.1f}),
                                float_tensor("y", {1, 3})}),
                 ErrorKind::kUnsupported, {"FULLY_CONNECTED", "dynamic range", "INT8 in 'weight'"});
}

// A constant that an integer operation has read before is no bias of a float layer, either.
TEST(RefuseTflite, IntegerBiasOfAFloatLayer) {
  FileSpec spec;
  spec.tensors = {int8_tensor("x", {1, 3}, 0.5f, 0),   int8_constant("c", {3}, {0.1f}),
                  int8_tensor("sum", {1, 3}, 0.5f, 0), float_tensor("real", {1, 3}),
                  float_tensor("weight", {3, 3}),      float_tensor("y", {1, 3})};
  spec.tensors[4].data = bytes_of(std::vector<float>(9, 1.0f));
  spec.operators = {{BuiltinOperator::ADD, {0, 1}, {2}},
                    {BuiltinOperator::DEQUANTIZE, {2}, {3}},
                    {BuiltinOperator::FULLY_CONNECTED, {3, 4, 1}, {5}}};
  spec.inputs = {0};
  spec.outputs = {5};
  expect_refused(spec, ErrorKind::kUnsupported, {"FULLY_CONNECTED", "FLOAT32", "INT8 in 'c'"});
  spec.operators[2].inputs.pop_back();
  EXPECT_EQ(read(spec).graph.nodes.size(), 3u);
}

TEST(RefuseTflite, ComputedWeights) {
  FileSpec spec =
      one_operation(BuiltinOperator::FULLY_CONNECTED,
                    {float_tensor("x", {2, 2}), float_tensor("weight", {2, 2}), float_tensor("y", {2, 2})});
  spec.operators.insert(spec.operators.begin(), {BuiltinOperator::TANH, {0}, {1}});
  expect_refused(spec, ErrorKind::kUnsupported, {"FULLY_CONNECTED", "have to be constants", "'weight'"});
}

TEST(RefuseTflite, WeightsThatAreNoNumbers) {
  FileSpec spec = one_operation(
      BuiltinOperator::ADD, {float_tensor("x", {1, 2}), float_tensor("c", {2}), float_tensor("y", {1, 2})});
  spec.tensors[1].data = bytes_of(std::vector<float>{1.0f, std::numeric_limits<float>::quiet_NaN()});
  expect_refused(spec, ErrorKind::kNumeric, {"ADD", "'c'", "not finite"});
  expect_refused(one_operation(BuiltinOperator::FULLY_CONNECTED,
                               {int8_tensor("x", {1, 2}, 1.0f, 0), int8_constant("weight", {1, 2}, {3e38f}),
                                int8_tensor("y", {1, 1}, 1.0f, 0)}),
                 ErrorKind::kNumeric, {"FULLY_CONNECTED", "'weight'", "not finite"});  // 3 times the scale
}

// ---- how much memory is taken ----

TEST(RefuseTflite, ActivationsThatNeedTooMuchMemory) {
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
TEST(RefuseTflite, ConstantsThatAreSharedTooOften) {
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

TEST(RefuseTflite, OperationsByName) {
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

TEST(RefuseTflite, SeveralInputsAndOutputs) {
  FileSpec spec = every_operation();
  spec.inputs.push_back(1);
  expect_refused(spec, ErrorKind::kUnsupported, {"one input", "found 2"});
  spec.inputs.clear();
  expect_refused(spec, ErrorKind::kUnsupported, {"one input", "found 0"});
  spec = every_operation();
  spec.outputs.push_back(1);
  expect_refused(spec, ErrorKind::kUnsupported, {"one output", "found 2"});
}

TEST(RefuseTflite, GraphsThatCannotBeComputed) {
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

TEST(RefuseTflite, TensorsThatDoNotFitTheirOperation) {
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
       type(TensorType::INT16),
       kUnsupported,
       {"operator 2 (CONV_2D)", "weights", "INT16 in 'filter'"}},
      {"images", type(TensorType::INT4), kUnsupported, {"FLOAT32 or INT8", "INT4 in 'images'"}},
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
