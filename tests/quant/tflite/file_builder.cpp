#include "tests/quant/tflite/file_builder.h"

namespace qlimit {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Offset<tflite::QuantizationParameters> quantization(FlatBufferBuilder& file, const TensorSpec& tensor) {
  const auto scales = file.CreateVector(tensor.scales);
  const auto zero_points = file.CreateVector(tensor.zero_points);
  const bool is_custom = tensor.details == tflite::QuantizationDetails::CustomQuantization;
  const Offset<void> details = is_custom ? tflite::CreateCustomQuantization(file).Union() : 0;
  return tflite::CreateQuantizationParameters(file, scales, zero_points, tensor.details, details,
                                              tensor.axis);
}

Offset<tflite::Tensor> tensor(FlatBufferBuilder& file, const TensorSpec& spec, uint32_t buffer) {
  const auto shape = file.CreateVector(spec.shape);
  const auto name = file.CreateString(spec.name);
  const auto parameters = quantization(file, spec);
  const Offset<tflite::SparsityParameters> sparsity =
      spec.is_sparse ? tflite::CreateSparsityParameters(file) : 0;
  return tflite::CreateTensor(file, shape, spec.type, buffer, name, parameters, spec.is_variable, sparsity, 0,
                              true, spec.external_buffer);
}

Offset<tflite::SubGraph> subgraph(FlatBufferBuilder& file, const FileSpec& spec) {
  std::vector<Offset<tflite::Tensor>> tensors;
  for (size_t i = 0; i < spec.tensors.size(); ++i) {
    const uint32_t buffer = spec.tensors[i].data.empty() ? 0 : static_cast<uint32_t>(i) + 1;
    tensors.push_back(tensor(file, spec.tensors[i], buffer + spec.buffer_offset));
  }
  std::vector<Offset<tflite::Operator>> operators;
  for (size_t i = 0; i < spec.operators.size(); ++i) {
    const OperatorSpec& op = spec.operators[i];
    const auto inputs = file.CreateVector(op.inputs);
    const auto outputs = file.CreateVector(op.outputs);
    const Offset<void> options = op.options.write ? op.options.write(file) : 0;
    operators.push_back(tflite::CreateOperator(file, static_cast<uint32_t>(i) + spec.code_offset, inputs,
                                               outputs, op.options.type, options));
  }
  return tflite::CreateSubGraph(file, file.CreateVector(tensors), file.CreateVector(spec.inputs),
                                file.CreateVector(spec.outputs), file.CreateVector(operators),
                                file.CreateString("main"));
}

}  // namespace

std::string build(const FileSpec& spec) {
  FlatBufferBuilder file;
  std::vector<Offset<tflite::Buffer>> buffers = {tflite::CreateBuffer(file)};
  for (const TensorSpec& constant : spec.tensors) {
    file.ForceVectorAlignment(constant.data.size(), 1, 16);
    const auto* data = reinterpret_cast<const uint8_t*>(constant.data.data());
    buffers.push_back(tflite::CreateBuffer(file, file.CreateVector(data, constant.data.size())));
  }
  std::vector<Offset<tflite::OperatorCode>> codes;
  for (const OperatorSpec& op : spec.operators) {
    const auto custom = op.custom_code.empty() ? 0 : file.CreateString(op.custom_code);
    const int code = std::min(static_cast<int>(op.code), 127);
    codes.push_back(tflite::CreateOperatorCode(file, static_cast<int8_t>(code), custom, 1, op.code));
  }
  std::vector<Offset<tflite::SubGraph>> graphs;
  for (int i = 0; i < spec.subgraphs; ++i) graphs.push_back(subgraph(file, spec));
  const auto model = tflite::CreateModel(file, spec.version, file.CreateVector(codes),
                                         file.CreateVector(graphs), 0, file.CreateVector(buffers));
  tflite::FinishModelBuffer(file, model);
  return {reinterpret_cast<const char*>(file.GetBufferPointer()), file.GetSize()};
}

FileSpec one_operation(BuiltinOperator code, std::vector<TensorSpec> tensors, OptionsSpec op_options) {
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
                         int32_t axis) {
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

FileSpec every_operation() {
  using tflite::BuiltinOptions;
  constexpr auto kSame = tflite::Padding::SAME;
  constexpr auto kValid = tflite::Padding::VALID;
  constexpr auto kRelu = tflite::ActivationFunctionType::RELU;
  FileSpec spec;
  std::vector<TensorSpec>& t = spec.tensors;
  const auto add = [&](TensorSpec tensor) {
    t.push_back(std::move(tensor));
    return static_cast<int32_t>(t.size()) - 1;
  };
  const auto compute = [&](BuiltinOperator code, std::vector<int32_t> inputs, TensorSpec output,
                           OptionsSpec op_options = {}) {
    const int32_t id = add(std::move(output));
    spec.operators.push_back({code, std::move(inputs), {id}, std::move(op_options)});
    return id;
  };
  const auto weights = [&](const std::string& name, std::vector<int32_t> shape, std::vector<float> scales,
                           int32_t axis) {
    std::vector<int8_t> data;
    int64_t size = 1;
    for (const int32_t dim : shape) size *= dim;
    for (int64_t i = 0; i < size; ++i) data.push_back(static_cast<int8_t>(i * 37 % 255 - 127));
    const std::vector<int64_t> zero_points(scales.size(), 0);
    return add({.name = name,
                .shape = std::move(shape),
                .scales = std::move(scales),
                .zero_points = zero_points,
                .axis = axis,
                .data = bytes_of(data)});
  };

  const int32_t images = add(float_tensor("images", {1, 6, 6, 2}));
  int32_t x = compute(BuiltinOperator::QUANTIZE, {images}, int8_tensor("quantized", {1, 6, 6, 2}, 0.05f, 3));
  const int32_t paddings = add(int32_constant("paddings", {4, 2}, {0, 0, 1, 1, 1, 0, 0, 0}));
  x = compute(BuiltinOperator::PAD, {x, paddings}, int8_tensor("padded", {1, 8, 7, 2}, 0.05f, 3));
  const int32_t filter = weights("filter", {4, 3, 3, 2}, {0.01f, 0.02f, 0.03f, 0.015f}, 0);
  const int32_t bias = add(int32_constant("bias", {4}, {100, -200, 300, 0}));
  x = compute(BuiltinOperator::CONV_2D, {x, filter, bias}, int8_tensor("conv", {1, 6, 5, 4}, 0.1f, -128),
              options<BuiltinOptions::Conv2DOptions>(tflite::CreateConv2DOptions, kValid, 1, 1, kRelu, 1, 1,
                                                     TensorType::FLOAT32));
  const int32_t depthwise = weights("depthwise", {1, 3, 3, 4}, {0.02f}, 0);
  x = compute(
      BuiltinOperator::DEPTHWISE_CONV_2D, {x, depthwise, bias},
      int8_tensor("depthwise_conv", {1, 6, 5, 4}, 0.2f, 5),
      options<BuiltinOptions::DepthwiseConv2DOptions>(tflite::CreateDepthwiseConv2DOptions, kSame, 1, 1, 1,
                                                      tflite::ActivationFunctionType::NONE, 2, 2));
  const int32_t shift = weights("shift", {4}, {0.03f}, 0);
  int32_t y = compute(BuiltinOperator::ADD, {x, shift}, int8_tensor("sum", {1, 6, 5, 4}, 0.25f, 1),
                      options<BuiltinOptions::AddOptions>(tflite::CreateAddOptions, kRelu, true));
  x = compute(
      BuiltinOperator::MUL, {y, x}, int8_tensor("product", {1, 6, 5, 4}, 0.5f, -4),
      options<BuiltinOptions::MulOptions>(tflite::CreateMulOptions, tflite::ActivationFunctionType::NONE));
  x = compute(BuiltinOperator::RELU, {x}, int8_tensor("relu", {1, 6, 5, 4}, 0.4f, -128));
  x = compute(BuiltinOperator::RELU6, {x}, int8_tensor("relu6", {1, 6, 5, 4}, 0.03f, -128));
  y = compute(BuiltinOperator::AVERAGE_POOL_2D, {x}, int8_tensor("average", {1, 3, 3, 4}, 0.03f, -128),
              options<BuiltinOptions::Pool2DOptions>(tflite::CreatePool2DOptions, kSame, 2, 2, 2, 2,
                                                     tflite::ActivationFunctionType::NONE));
  x = compute(BuiltinOperator::MAX_POOL_2D, {x}, int8_tensor("greatest", {1, 3, 3, 4}, 0.03f, -128),
              options<BuiltinOptions::Pool2DOptions>(tflite::CreatePool2DOptions, kSame, 2, 2, 2, 2, kRelu));
  x = compute(BuiltinOperator::CONCATENATION, {x, y}, int8_tensor("joined", {1, 3, 3, 8}, 0.03f, -128),
              options<BuiltinOptions::ConcatenationOptions>(tflite::CreateConcatenationOptions, -1,
                                                            tflite::ActivationFunctionType::NONE));
  const int32_t axes = add(int32_constant("axes", {2}, {1, -2}));
  x = compute(BuiltinOperator::MEAN, {x, axes}, int8_tensor("mean", {1, 1, 1, 8}, 0.02f, -100),
              options<BuiltinOptions::ReducerOptions>(tflite::CreateReducerOptions, true));
  const int32_t flat = add(int32_constant("flat", {2}, {1, -1}));
  x = compute(BuiltinOperator::RESHAPE, {x, flat}, int8_tensor("reshaped", {1, 8}, 0.02f, -100));
  const int32_t matrix = weights("matrix", {4, 8}, {0.004f}, 0);
  x = compute(BuiltinOperator::FULLY_CONNECTED, {x, matrix, -1}, int8_tensor("dense", {1, 4}, 0.02f, 10),
              options<BuiltinOptions::FullyConnectedOptions>(
                  tflite::CreateFullyConnectedOptions, kRelu,
                  tflite::FullyConnectedOptionsWeightsFormat::DEFAULT, false, false, TensorType::FLOAT32));
  x = compute(BuiltinOperator::TANH, {x}, int8_tensor("tanh", {1, 4}, 1.0f / 128, 0));
  x = compute(BuiltinOperator::QUANTIZE, {x}, int8_tensor("requantized", {1, 4}, 0.01f, 2));
  x = compute(BuiltinOperator::LOGISTIC, {x}, int8_tensor("logistic", {1, 4}, 1.0f / 256, -128));
  x = compute(BuiltinOperator::DEQUANTIZE, {x}, float_tensor("real", {1, 4}));
  x = compute(BuiltinOperator::SOFTMAX, {x}, float_tensor("probabilities", {1, 4}),
              options<BuiltinOptions::SoftmaxOptions>(tflite::CreateSoftmaxOptions, 1.0f));
  spec.inputs = {images};
  spec.outputs = {x};
  return spec;
}

}  // namespace qlimit
