// The two operations that only move numbers: recorded outputs, properties, refusals.
#include <gtest/gtest.h>

#include <array>

#include "core/error.h"
#include "quant/kernels/concatenation.h"
#include "quant/kernels/pad.h"
#include "tests/quant/golden.h"
#include "tests/quant/random_int8.h"

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
  EXPECT_THROW(prepare_pad({2, 2}, {-1, 0}, {}), Error);
  EXPECT_THROW(prepare_pad({2, 2}, {}, {0, -1}), Error);
  EXPECT_THROW(prepare_pad({2, 2}, {0, 0, 1}, {}), Error);
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
  EXPECT_NO_THROW(prepare_concatenation({{2, 3}, {4, 3}}, 0));
  EXPECT_THROW(prepare_concatenation({{2, 3}, {4, 3}}, 1), Error);
  EXPECT_THROW(prepare_concatenation({{2, 3}, {4, 3}}, 2), Error);
  EXPECT_THROW(prepare_concatenation({{2, 3}, {4, 3}}, -3), Error);
  EXPECT_THROW(prepare_concatenation({{2, 3}, {2, 3, 1}}, 0), Error);
  EXPECT_THROW(prepare_concatenation({}, 0), Error);
}

TEST(Concatenation, RefusesUnequalParameters) {
  const AffineParams params = {.scale = 0.5f, .zero_point = 3};
  EXPECT_NO_THROW(int8::expect_equal_params("concatenation", {params, params}, params));
  EXPECT_THROW(int8::expect_equal_params("concatenation", {params, {0.5f, 4}}, params), Error);
  EXPECT_THROW(int8::expect_equal_params("concatenation", {params, params}, {0.25f, 3}), Error);
}

}  // namespace
}  // namespace qlimit
