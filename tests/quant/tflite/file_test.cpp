#include "quant/tflite/file.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/quant/tflite/file_builder.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const TfliteTensor& named(const TfliteModel& model, const std::string& name) {
  for (const TfliteTensor& tensor : model.tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

void expect_refused(const FileSpec& spec, ErrorKind kind, const std::vector<std::string>& fragments) {
  expect_error([&] { parse_tflite(build(spec), "some.tflite"); }, kind, fragments);
}

TEST(TfliteFile, GivesTheTensors) {
  const TfliteModel model = parse_tflite(build(every_operation()), "some.tflite");
  const TfliteTensor& filter = named(model, "filter");
  EXPECT_EQ(filter.type, TfliteType::kInt8);
  EXPECT_EQ(filter.shape, (std::vector<int64_t>{4, 3, 3, 2}));
  EXPECT_EQ(filter.elements, 72);
  EXPECT_EQ(filter.scales, (std::vector<float>{0.01f, 0.02f, 0.03f, 0.015f}));
  EXPECT_EQ(filter.zero_points, (std::vector<int32_t>{0, 0, 0, 0}));
  ASSERT_EQ(filter.data.size(), 72u);
  EXPECT_EQ(static_cast<int8_t>(filter.data[1]), 37 - 127);
  const TfliteTensor& conv = named(model, "conv");
  EXPECT_FALSE(conv.is_constant());
  EXPECT_EQ(conv.zero_points, std::vector<int32_t>{-128});
  EXPECT_TRUE(named(model, "images").scales.empty());
  EXPECT_EQ(model.inputs, std::vector<int32_t>{0});
}

TEST(TfliteFile, GivesTheOperators) {
  const TfliteModel model = parse_tflite(build(every_operation()), "some.tflite");
  EXPECT_EQ(model.operators.size(), 19u);
  const TfliteOperator& conv = model.operators[2];
  EXPECT_EQ(conv.name, "CONV_2D");
  const auto& options = std::get<tflite_options::Conv2D>(conv.options);
  EXPECT_EQ(options.window, (Window{.padding = Padding::kValid}));
  EXPECT_EQ(options.activation, Activation::kRelu);
  const auto& depthwise = std::get<tflite_options::DepthwiseConv2D>(model.operators[3].options);
  EXPECT_EQ(depthwise.window, (Window{.dilation_h = 2, .dilation_w = 2, .padding = Padding::kSame}));
  EXPECT_EQ(depthwise.multiplier, 1);
  EXPECT_EQ(std::get<tflite_options::Concatenation>(model.operators[10].options).axis, -1);
  EXPECT_TRUE(std::get<tflite_options::Mean>(model.operators[11].options).keep_dims);
  EXPECT_EQ(model.operators[13].inputs.back(), -1);
}

TEST(TfliteFile, RefusesWhatIsNoTfliteFile) {
  for (const std::string& bytes : {std::string(), std::string("short"), std::string(1000, 'x')}) {
    expect_error([&] { parse_tflite(bytes, "some.tflite"); }, ErrorKind::kData,
                 {"not a .tflite file", "some.tflite"});
  }
  const std::string hollow = std::string(4, '\xff') + "TFL3" + std::string(1000, '\xff');
  expect_error([&] { parse_tflite(hollow, "some.tflite"); }, ErrorKind::kData, {"damaged", "some.tflite"});
}

TEST(TfliteFile, RefusesOtherVersionsAndSubgraphs) {
  FileSpec spec = every_operation();
  spec.version = 2;
  expect_refused(spec, ErrorKind::kUnsupported, {"some.tflite", "another version", "found 2"});
  spec = every_operation();
  spec.subgraphs = 2;
  expect_refused(spec, ErrorKind::kUnsupported, {"some.tflite", "one subgraph", "'main'"});
  spec.subgraphs = 0;
  expect_refused(spec, ErrorKind::kData, {"holds no graph"});
}

TEST(TfliteFile, RefusesNumbersOfThingsThatDoNotExist) {
  FileSpec spec = every_operation();
  spec.operators[2].inputs[1] = 99;
  expect_refused(spec, ErrorKind::kData, {"operator 2 (CONV_2D)", "a tensor does not exist", "found 99"});
  spec.operators[2].inputs[1] = -2;
  expect_refused(spec, ErrorKind::kData, {"operator 2 (CONV_2D)", "a tensor does not exist", "found -2"});
  spec = every_operation();
  spec.operators[2].outputs[0] = -1;
  expect_refused(spec, ErrorKind::kData, {"operator 2 (CONV_2D)", "a tensor does not exist"});
  spec = every_operation();
  spec.outputs[0] = 99;
  expect_refused(spec, ErrorKind::kData, {"outputs", "a tensor does not exist"});
  spec = every_operation();
  spec.buffer_offset = 1000;
  expect_refused(spec, ErrorKind::kData, {"tensor 0 'images'", "a buffer does not exist", "found 1000"});
  spec = every_operation();
  spec.code_offset = 1000;
  expect_refused(spec, ErrorKind::kData, {"operator 0", "an operator code does not exist", "found 1000"});
}

// Each changes the tensor "filter", an int8 constant [4,3,3,2] with four scales.
struct StrangeTensor {
  std::function<void(TensorSpec&)> change;
  ErrorKind kind;
  std::vector<std::string> fragments;
};

TEST(TfliteFile, RefusesStrangeTensors) {
  constexpr auto kData = ErrorKind::kData;
  constexpr auto kUnsupported = ErrorKind::kUnsupported;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSubnormal = std::numeric_limits<float>::denorm_min();
  const std::vector<StrangeTensor> cases = {
      {[](TensorSpec& t) { t.shape[0] = -1; }, kUnsupported, {"leaves open", "found -1"}},
      {[](TensorSpec& t) {
         t.shape = {1 << 20, 1 << 20, 1 << 20, 1};
       },
       kUnsupported,
       {"too many elements"}},
      {[](TensorSpec& t) { t.shape.assign(9, 1); }, kData, {"too many dimensions", "found 9"}},
      {[](TensorSpec& t) { t.data.pop_back(); }, kData, {"as long as its shape", "72 bytes", "found 71"}},
      {[](TensorSpec& t) { t.type = TensorType::FLOAT32; }, kData, {"as long as its shape", "288 bytes"}},
      {[](TensorSpec& t) { t.scales[2] = 0.0f; }, kData, {"a scale is not a positive number", "found 0"}},
      {[](TensorSpec& t) { t.scales[2] = -1.0f; }, kData, {"a scale is not a positive number"}},
      {[](TensorSpec& t) { t.scales[2] = kInfinity; }, kData, {"a scale is not a positive number"}},
      {[](TensorSpec& t) { t.scales[2] = kInfinity - kInfinity; },
       kData,
       {"a scale is not a positive number"}},
      {[](TensorSpec& t) { t.scales[2] = kSubnormal; }, kData, {"a scale is not a positive number"}},
      {[](TensorSpec& t) { t.zero_points[1] = 128; }, kData, {"zero point is out of range", "found 128"}},
      {[](TensorSpec& t) { t.zero_points[1] = int64_t{1} << 40; }, kData, {"zero point is out of range"}},
      {[](TensorSpec& t) { t.zero_points.pop_back(); }, kData, {"differ in number", "expected 4, found 3"}},
      {[](TensorSpec& t) { t.zero_points.clear(); }, kData, {"differ in number", "expected 4, found 0"}},
      {[](TensorSpec& t) { t.axis = 1; }, kData, {"wrong number of scales", "1 or 3", "4 along dimension 1"}},
      {[](TensorSpec& t) { t.axis = 4; }, kData, {"wrong number of scales", "4 along dimension 4"}},
      {[](TensorSpec& t) { t.axis = -1; }, kData, {"wrong number of scales"}},
      {[](TensorSpec& t) { t.details = tflite::QuantizationDetails::CustomQuantization; },
       kUnsupported,
       {"quantization other than"}},
      {[](TensorSpec& t) { t.is_sparse = true; }, kUnsupported, {"sparse"}},
      {[](TensorSpec& t) { t.is_variable = true; }, kUnsupported, {"variables"}},
      {[](TensorSpec& t) { t.external_buffer = 1; }, kUnsupported, {"other files"}},
  };
  for (const StrangeTensor& strange : cases) {
    FileSpec spec = every_operation();
    TensorSpec& filter = spec.tensors[4];
    ASSERT_EQ(filter.name, "filter");
    strange.change(filter);
    std::vector<std::string> fragments = strange.fragments;
    fragments.insert(fragments.end(), {"some.tflite", "tensor 4 'filter'"});
    expect_refused(spec, strange.kind, fragments);
  }
}

TEST(TfliteFile, RefusesStrangeOptions) {
  using tflite::BuiltinOptions;
  const auto pool = [](tflite::Padding padding, tflite::ActivationFunctionType activation) {
    FileSpec spec = every_operation();
    spec.operators[8].options =
        options<BuiltinOptions::Pool2DOptions>(tflite::CreatePool2DOptions, padding, 2, 2, 2, 2, activation);
    return spec;
  };
  using tflite::ActivationFunctionType;
  using tflite::Padding;
  expect_refused(pool(static_cast<Padding>(2), ActivationFunctionType::NONE), ErrorKind::kData,
                 {"operator 8 (AVERAGE_POOL_2D)", "unknown padding", "found 2"});
  expect_refused(pool(Padding::SAME, ActivationFunctionType::TANH), ErrorKind::kUnsupported,
                 {"operator 8 (AVERAGE_POOL_2D)", "fused activation", "found TANH"});
  expect_refused(pool(Padding::SAME, static_cast<ActivationFunctionType>(77)), ErrorKind::kData,
                 {"operator 8 (AVERAGE_POOL_2D)", "fused activation", "found 77"});
}

TEST(TfliteFile, KeepsTextFromTheFileOnOneLine) {
  EXPECT_EQ(printable("conv/filter:0"), "conv/filter:0");
  EXPECT_EQ(printable("a\nb\x1b[31m\xff"), "a?b?[31m?");
  EXPECT_EQ(printable(std::string(61, 'n')), std::string(57, 'n') + "...");
  FileSpec spec = every_operation();
  spec.tensors[4].name = "evil\nname";
  spec.tensors[4].shape[0] = -1;
  expect_refused(spec, ErrorKind::kUnsupported, {"'evil?name'"});
}

// 20,000 numbers that 4,000 operators point to, 80 kB of a file, would be 320 MB.
TEST(TfliteFile, RefusesTablesThatRepeatEachOther) {
  using flatbuffers::Offset;
  flatbuffers::FlatBufferBuilder file;
  const auto codes =
      file.CreateVector(std::vector<Offset<tflite::OperatorCode>>{tflite::CreateOperatorCode(file)});
  const auto tensors = file.CreateVector(std::vector<Offset<tflite::Tensor>>{tflite::CreateTensor(file)});
  const auto buffers = file.CreateVector(std::vector<Offset<tflite::Buffer>>{tflite::CreateBuffer(file)});
  const auto inputs = file.CreateVector(std::vector<int32_t>(20000, 0));
  const auto op = tflite::CreateOperator(file, 0, inputs);
  const auto operators = file.CreateVector(std::vector<Offset<tflite::Operator>>(4000, op));
  const auto graph = tflite::CreateSubGraph(file, tensors, 0, 0, operators);
  const auto graphs = file.CreateVector(std::vector<Offset<tflite::SubGraph>>{graph});
  tflite::FinishModelBuffer(file, tflite::CreateModel(file, 3, codes, graphs, 0, buffers));
  const std::string bytes(reinterpret_cast<const char*>(file.GetBufferPointer()), file.GetSize());
  expect_error([&] { parse_tflite(bytes, "some.tflite"); }, ErrorKind::kData, {"some.tflite", "too often"});
}

}  // namespace
}  // namespace qlimit
