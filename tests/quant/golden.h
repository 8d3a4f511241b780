// Reads the recorded outputs of the real int8 kernels (tests/golden/tflite, see its README).
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "quant/fixed_point.h"
#include "quant/runtime.h"

namespace qlimit::golden {

using Json = nlohmann::json;

inline Json load(const std::string& name) {
  const std::string path = QLIMIT_SOURCE_DIR "/tests/golden/tflite/" + name + ".json";
  std::ifstream file(path);
  if (!file) throw Error(ErrorKind::kIo, {.what = "cannot read golden vectors", .where = path});
  return Json::parse(file);
}

/// The rows of one table of primitives.json.
inline Json primitive_rows(const std::string& table) {
  const Json data = load("primitives");
  return data.at(table).at("rows");
}

/// Scales have 9 significant digits: read as double and narrowed they are the very bits.
inline float to_float(const Json& number) { return static_cast<float>(number.get<double>()); }

inline std::vector<float> to_floats(const Json& numbers) {
  std::vector<float> result;
  for (const Json& number : numbers) result.push_back(to_float(number));
  return result;
}

inline std::vector<int8_t> to_int8(const Json& numbers) {
  std::vector<int8_t> result;
  for (const Json& number : numbers) result.push_back(static_cast<int8_t>(number.get<int>()));
  return result;
}

inline Shape to_shape(const Json& dims) {
  switch (dims.size()) {
    case 1:
      return {dims[0]};
    case 2:
      return {dims[0], dims[1]};
    case 3:
      return {dims[0], dims[1], dims[2]};
    default:
      return {dims.at(0), dims.at(1), dims.at(2), dims.at(3)};
  }
}

/// The tensor `name` of a case, with the shape `name`_shape.
inline Tensor<int8_t> to_tensor(const Json& test_case, const std::string& name) {
  return {to_shape(test_case.at(name + "_shape")), to_int8(test_case.at(name))};
}

inline AffineParams to_params(const Json& test_case, const std::string& scale,
                              const std::string& zero_point) {
  return {.scale = to_float(test_case.at(scale)), .zero_point = test_case.at(zero_point)};
}

inline Activation to_activation(const Json& name) {
  if (name == "RELU") return Activation::kRelu;
  if (name == "RELU6") return Activation::kRelu6;
  if (name == "RELU_N1_TO_1") return Activation::kReluN1To1;
  EXPECT_EQ(name, "NONE");
  return Activation::kNone;
}

/// What the kernels return with this rounding: `y`, unless another build differed.
inline std::vector<int8_t> expected_output(const Json& test_case, Rounding rounding) {
  if (rounding == Rounding::kSingle && test_case.contains("y_single"))
    return to_int8(test_case.at("y_single"));
  if (rounding == Rounding::kFloat64 && test_case.contains("y_f64")) return to_int8(test_case.at("y_f64"));
  return to_int8(test_case.at("y"));
}

/// Calls run(case, runtime, y) for each case of a file and both runtimes that it was recorded from, and
/// compares what it wrote to y. At least one case must tell the runtimes apart if `differ`.
template <typename Run>
void expect_runtimes(const std::string& file, size_t cases, const Run& run, bool differ = true) {
  const Json data = load(file);
  ASSERT_EQ(data.at("cases").size(), cases);
  int differing = 0;
  for (const Json& test_case : data.at("cases")) {
    const std::vector<int8_t> reference = to_int8(test_case.at("y"));
    const std::vector<int8_t> micro =
        test_case.contains("y_micro") ? to_int8(test_case.at("y_micro")) : reference;
    differing += micro != reference ? 1 : 0;
    for (Runtime runtime : {Runtime::kTflite, Runtime::kLiteRt, Runtime::kTfliteMicro}) {
      std::vector<int8_t> y(reference.size(), 99);
      run(test_case, runtime, y.data());
      EXPECT_EQ(y, runtime == Runtime::kTfliteMicro ? micro : reference)
          << file << " case " << test_case.at("id") << ", " << to_string(runtime);
    }
  }
  EXPECT_EQ(differing > 0, differ);
}

}  // namespace qlimit::golden
