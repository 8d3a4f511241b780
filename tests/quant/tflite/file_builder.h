// Writes .tflite files for tests of the reader, right ones and wrong ones. What a spec says is what the file
// holds: nothing is checked and nothing completed, so that a test can change one thing and see it refused.
//
//   FileSpec spec;
//   spec.tensors = {int8_tensor("x", {1, 4}, 0.5f, 3), int8_tensor("y", {1, 4}, 0.5f, 3)};
//   spec.operators = {{.code = BuiltinOperator::RELU, .inputs = {0}, .outputs = {1}}};
//   spec.inputs = {0}, spec.outputs = {1};
//   read_tflite(build(spec), "test");
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "quant/tflite/schema_generated.h"

namespace qlimit {

using tflite::BuiltinOperator;
using tflite::TensorType;

struct TensorSpec {
  std::string name;
  std::vector<int32_t> shape;
  TensorType type = TensorType::INT8;
  std::vector<float> scales = {};
  std::vector<int64_t> zero_points = {};
  int32_t axis = 0;
  std::string data = {};  // of a constant
  bool is_variable = false;
  bool is_sparse = false;
  uint32_t external_buffer = 0;
  tflite::QuantizationDetails details = tflite::QuantizationDetails::NONE;
};

/// The bytes of some numbers.
template <typename T>
std::string bytes_of(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

inline TensorSpec int8_tensor(const std::string& name, std::vector<int32_t> shape, float scale,
                              int64_t zero_point) {
  return {.name = name, .shape = std::move(shape), .scales = {scale}, .zero_points = {zero_point}};
}
inline TensorSpec float_tensor(const std::string& name, std::vector<int32_t> shape) {
  return {.name = name, .shape = std::move(shape), .type = TensorType::FLOAT32};
}
inline TensorSpec int32_constant(const std::string& name, std::vector<int32_t> shape,
                                 const std::vector<int32_t>& data) {
  return {.name = name, .shape = std::move(shape), .type = TensorType::INT32, .data = bytes_of(data)};
}

/// Writes a table of options; empty for none.
struct OptionsSpec {
  tflite::BuiltinOptions type = tflite::BuiltinOptions::NONE;
  std::function<flatbuffers::Offset<void>(flatbuffers::FlatBufferBuilder&)> write = {};
};

/// options<tflite::BuiltinOptions::SoftmaxOptions>(tflite::CreateSoftmaxOptions, 1.0f)
template <tflite::BuiltinOptions type, typename Create, typename... Values>
OptionsSpec options(Create create, Values... values) {
  return {type, [=](flatbuffers::FlatBufferBuilder& file) { return create(file, values...).Union(); }};
}

struct OperatorSpec {
  BuiltinOperator code = BuiltinOperator::ADD;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  OptionsSpec options = {};
  std::string custom_code = {};
};

struct FileSpec {
  uint32_t version = 3;
  std::vector<TensorSpec> tensors;
  std::vector<OperatorSpec> operators;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  int subgraphs = 1;           // copies of the graph
  uint32_t buffer_offset = 0;  // added to each tensor's number of a buffer
  uint32_t code_offset = 0;    // added to each operator's number of a code
};

/// The file's bytes.
std::string build(const FileSpec& spec);

/// An int8 constant of threes, with zero points of 0.
TensorSpec int8_constant(const std::string& name, std::vector<int32_t> shape, std::vector<float> scales,
                         int32_t axis = 0);

/// A model of one operation: it reads all tensors but the last, the first being the model's input, and
/// computes the last.
FileSpec one_operation(BuiltinOperator code, std::vector<TensorSpec> tensors, OptionsSpec op_options = {});

/// A small model in which every operation that the reader knows occurs, from float [1,6,6,2] to float [1,4].
FileSpec every_operation();

}  // namespace qlimit
