// Every recorded .tflite model, read and run: the bytes of LiteRT's reference kernels and of TFLite Micro,
// all of them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/kernels/isa.h"
#include "quant/tflite/write.h"
#include "tests/support/model_cases.h"
#include "tests/support/standard_net.h"

namespace qlimit {
namespace {

std::vector<ModelCase> golden_models(const std::string& name) {
  return read_model_cases(std::filesystem::path(QLIMIT_SOURCE_DIR) / "tests/golden/tflite_models" /
                          (name + ".gz"));
}

struct GoldenFile {
  std::string name;
  size_t cases;
  size_t without_micro = 0;  // that TFLite Micro cannot run
};

void PrintTo(const GoldenFile& file, std::ostream* out) { *out << file.name; }

// "" if equal; else how many bytes differ, and the first of them.
std::string difference(const std::string& found, const std::string& expected) {
  if (found.size() != expected.size())
    return std::to_string(found.size()) + " bytes instead of " + std::to_string(expected.size());
  size_t count = 0, first = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] != expected[i] && count++ == 0) first = i;
  }
  if (count == 0) return "";
  return std::to_string(count) + " of " + std::to_string(found.size()) + " bytes differ, the first is byte " +
         std::to_string(first) + ": " + std::to_string(found[first]) + " instead of " +
         std::to_string(expected[first]);
}

class GoldenModels : public testing::TestWithParam<GoldenFile> {
 protected:
  void TearDown() override { set_active_isa(supported_isas().back()); }
};

// What the model makes of its input as TFLite Micro, if that has an output to compare with.
std::string micro_difference(const ModelCase& c, Kernels kernels) {
  if (c.tflite_micro.empty()) return "";
  return difference(replay(c, Runtime::kTfliteMicro, kernels), c.tflite_micro);
}

TEST_P(GoldenModels, ReferenceKernels) {
  const std::vector<ModelCase> cases = golden_models(GetParam().name);
  ASSERT_EQ(cases.size(), GetParam().cases);
  size_t without_micro = 0;
  for (const ModelCase& c : cases) {
    EXPECT_EQ(difference(replay(c, Runtime::kLiteRt, Kernels::kReference), c.litert), "")
        << c.name << " as LiteRT";
    EXPECT_EQ(micro_difference(c, Kernels::kReference), "") << c.name << " as TFLite Micro";
    without_micro += c.tflite_micro.empty();
  }
  EXPECT_EQ(without_micro, GetParam().without_micro);
}

TEST_P(GoldenModels, EachInstructionSet) {
  const std::vector<ModelCase> cases = golden_models(GetParam().name);
  ASSERT_EQ(cases.size(), GetParam().cases);
  for (Isa isa : supported_isas()) {
    set_active_isa(isa);
    for (const ModelCase& c : cases) {
      EXPECT_EQ(difference(replay(c, Runtime::kLiteRt), c.litert), "")
          << c.name << " as LiteRT, " << isa_name(isa);
      EXPECT_EQ(micro_difference(c, Kernels::kFast), "") << c.name << " as TFLite Micro, " << isa_name(isa);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoldenModels,
    testing::Values(GoldenFile{"conv2d", 67}, GoldenFile{"depthwise_conv2d", 53},
                    GoldenFile{"fully_connected", 58}, GoldenFile{"max_pool2d", 19},
                    GoldenFile{"average_pool2d", 24}, GoldenFile{"mean", 34}, GoldenFile{"add", 38},
                    GoldenFile{"mul", 41}, GoldenFile{"pad", 14}, GoldenFile{"reshape", 10},
                    GoldenFile{"concatenation", 14}, GoldenFile{"softmax", 19}, GoldenFile{"relu", 17},
                    GoldenFile{"relu6", 14}, GoldenFile{"requantize", 19}, GoldenFile{"logistic", 12},
                    GoldenFile{"tanh", 12}, GoldenFile{"quantize", 14}, GoldenFile{"dequantize", 10},
                    GoldenFile{"int4_weights", 48, 8}, GoldenFile{"nets", 15}, GoldenFile{"trained_nets", 2}),
    [](const auto& file) { return file.param.name; });

// The largest of our architectures, written by us; its file is not recorded, but its outputs are.
TEST(GoldenStandardNet, EveryByte) {
  std::vector<ModelCase> cases = golden_models("standard_net");
  ASSERT_EQ(cases.size(), 1u);
  ModelCase& c = cases[0];
  c.model = write_tflite(standard_net()).bytes;
  for (Isa isa : supported_isas()) {
    set_active_isa(isa);
    EXPECT_EQ(difference(replay(c, Runtime::kLiteRt), c.litert), "") << "as LiteRT, " << isa_name(isa);
    EXPECT_EQ(difference(replay(c, Runtime::kTfliteMicro), c.tflite_micro), "")
        << "as TFLite Micro, " << isa_name(isa);
  }
  set_active_isa(supported_isas().back());
  EXPECT_EQ(difference(replay(c, Runtime::kLiteRt, Kernels::kReference), c.litert), "") << "definitions";
}

std::vector<float> to_floats(const std::string& bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

// Floats are summed in another order than TFLite's, over a few hundred products at most in each layer.
TEST(GoldenFloatModels, WithinRounding) {
  const std::vector<ModelCase> cases = golden_models("float_nets");
  ASSERT_EQ(cases.size(), 6u);
  for (Isa isa : supported_isas()) {
    set_active_isa(isa);
    for (const ModelCase& c : cases) {
      const std::vector<float> found = to_floats(replay(c, Runtime::kLiteRt)), expected = to_floats(c.litert);
      ASSERT_EQ(found.size(), expected.size()) << c.name;
      float largest = 0;
      for (float y : expected) largest = std::max(largest, std::abs(y));
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-5f * largest) << c.name << " " << i << ", " << isa_name(isa);
    }
  }
  set_active_isa(supported_isas().back());
}

}  // namespace
}  // namespace qlimit
