// The two operations that only move numbers: recorded outputs, properties, refusals.
#include <gtest/gtest.h>

#include <array>

#include "core/error.h"
#include "quant/kernels/concatenation.h"
#include "quant/kernels/pad.h"
#include "tests/quant/golden.h"
#include "tests/quant/random_int8.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using golden::Json;

PadParams::Axes to_axes(const Json& numbers) {
  PadParams::Axes axes = {};
  for (size_t i = 0; i < numbers.size(); ++i) axes[i] = numbers[i];
  return axes;
}

TEST(Pad, EqualsTheRecordedRuntimes) {
  const auto run = [](const Json& c, Runtime, int8_t* y) {
    const Tensor<int8_t> x = golden::to_tensor(c, "x");
    const PadParams params = prepare_pad(x.shape(), to_axes(c.at("before")), to_axes(c.at("after")));
    pad(params, x.data(), static_cast<int8_t>(c.at("z").get<int>()), y);
  };
  golden::expect_runtimes("pad", 24, run, false);
}

TEST(Pad, OfNothingIsACopy) {
  Random random(10, "pad");
  const Tensor<int8_t> x = random_tensor(random, {2, 3, 4, 5}, -128);
  Numbers y(static_cast<size_t>(x.size()));
  pad(prepare_pad(x.shape(), {}, {}), x.data(), int8_t{99}, y.data());
  EXPECT_EQ(y, to_numbers(x));
}

TEST(Pad, OfFloats) {
  const std::vector<float> x = {1, 2};
  std::vector<float> y(12, 9);
  pad(prepare_pad({1, 2}, {1, 0}, {1, 2}), x.data(), 0.0f, y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0}));
}

TEST(Pad, RefusesNegativeAmountsAndMissingAxes) {
  const auto pad_matrix = [](const PadParams::Axes& before, const PadParams::Axes& after) {
    return [=] { prepare_pad({2, 2}, before, after); };
  };
  expect_error(pad_matrix({-1, 0}, {}), ErrorKind::kUsage, {"wrong padding", "-1 and 0 along axis 0"});
  expect_error(pad_matrix({}, {0, -1}), ErrorKind::kUsage, {"wrong padding", "0 and -1 along axis 1"});
  expect_error(pad_matrix({0, 0, 1}, {}), ErrorKind::kUsage, {"wrong padding", "along axis 2"});
}

TEST(Concatenation, EqualsTheRecordedRuntimes) {
  const auto run = [](const Json& c, Runtime, int8_t* y) {
    std::vector<Tensor<int8_t>> inputs;
    for (const Json& input : c.at("inputs")) inputs.push_back(golden::to_tensor(input, "x"));
    std::vector<Shape> shapes;
    std::vector<const int8_t*> x;
    for (const Tensor<int8_t>& input : inputs) {
      shapes.push_back(input.shape());
      x.push_back(input.data());
    }
    concatenation(prepare_concatenation(shapes, c.at("axis")), x.data(), y);
  };
  golden::expect_runtimes("concatenation", 24, run, false);
}

TEST(Concatenation, OfFloatsAlongTheLastAxis) {
  const std::vector<float> a = {1, 2, 3, 4}, b = {5, 6};
  const std::array<const float*, 2> x = {a.data(), b.data()};
  std::vector<float> y(6);
  concatenation(prepare_concatenation({{2, 2}, {2, 1}}, -1), x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 2, 5, 3, 4, 6}));
}

TEST(Concatenation, RefusesWhatDoesNotFit) {
  const auto join = [](const std::vector<Shape>& shapes, int axis) {
    return [=] { prepare_concatenation(shapes, axis); };
  };
  EXPECT_NO_THROW(join({{2, 3}, {4, 3}}, 0)());
  expect_error(join({{2, 3}, {4, 3}}, 1), ErrorKind::kUsage, {"shapes do not fit", "but for axis 1"});
  expect_error(join({{2, 3}, {4, 3}}, 2), ErrorKind::kUsage, {"no such axis", "found 2"});
  expect_error(join({{2, 3}, {4, 3}}, -3), ErrorKind::kUsage, {"no such axis", "found -3"});
  expect_error(join({{2, 3}, {2, 3, 1}}, 0), ErrorKind::kUsage, {"shapes do not fit", "[2,3,1]"});
  expect_error(join({}, 0), ErrorKind::kUsage, {"no such axis", "an input"});
}

TEST(Concatenation, RefusesUnequalParameters) {
  const AffineParams params = {.scale = 0.5f, .zero_point = 3}, shifted = {0.5f, 4}, finer = {0.25f, 3};
  const auto join = [](const std::vector<AffineParams>& inputs, const AffineParams& output) {
    return [=] { int8::expect_equal_params("concatenation", inputs, output); };
  };
  EXPECT_NO_THROW(join({params, params}, params)());
  expect_error(join({params, shifted}, params), ErrorKind::kUnsupported,
               {"the same scale", "found scale 0.5"});
  expect_error(join({params, params}, finer), ErrorKind::kUnsupported,
               {"the same scale", "expected scale 0.25"});
}

}  // namespace
}  // namespace qlimit
