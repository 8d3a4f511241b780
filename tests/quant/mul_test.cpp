// Integer multiplication against recorded outputs, a direct evaluation in wide integers, and its properties.
#include "quant/kernels/mul.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/quant/golden.h"
#include "tests/quant/random_int8.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using golden::Json;

TEST(Mul, EqualsTheRecordedRuntimes) {
  golden::expect_runtimes("mul", 48, [](const Json& c, Runtime runtime, int8_t* y) {
    const Tensor<int8_t> x1 = golden::to_tensor(c, "x1"), x2 = golden::to_tensor(c, "x2");
    const OutputStage output = {.params = golden::to_params(c, "s_out", "z_out"),
                                .activation = golden::to_activation(c.at("activation"))};
    const int8::MulParams params = int8::prepare_mul(x1.shape(), golden::to_params(c, "s1", "z1"), x2.shape(),
                                                     golden::to_params(c, "s2", "z2"), output, runtime);
    EXPECT_EQ(params.pairs.shape(), golden::to_shape(c.at("y_shape")));
    int8::mul(params, x1.data(), x2.data(), y);
  });
}

// Both precisions of the multiplier, both roundings; and exchanging the factors changes nothing.
TEST(Mul, IsTheProductRoundedAsSpecified) {
  Random random(9, "mul");
  for (int model = 0; model < 400; ++model) {
    const Tensor<int8_t> x1 = random_tensor(random, {1, 60}, -128);
    const Tensor<int8_t> x2 = random_tensor(random, {1, 60}, -128);
    const AffineParams p1 = random_params(random), p2 = random_params(random);
    const OutputStage output = random_output(random, double{p1.scale} * double{p2.scale});
    const Runtime runtime = one_of(random, {Runtime::kTflite, Runtime::kTfliteMicro});

    const float product = p1.scale * p2.scale;
    const float quotient = product / output.params.scale;
    const double real = runtime == Runtime::kTflite
                            ? double{quotient}
                            : double{p1.scale} * double{p2.scale} / double{output.params.scale};
    Numbers expected;
    for (int64_t i = 0; i < x1.size(); ++i)
      expected.push_back(finish((x1[i] - p1.zero_point) * (x2[i] - p2.zero_point), real, output));

    Tensor<int8_t> y = x1.clone();  // in place
    int8::mul(int8::prepare_mul(x1.shape(), p1, x2.shape(), p2, output, runtime), y.data(), x2.data(),
              y.data());
    ASSERT_EQ(to_numbers(y), expected) << model;
    int8::mul(int8::prepare_mul(x2.shape(), p2, x1.shape(), p1, output, runtime), x2.data(), x1.data(),
              y.data());
    ASSERT_EQ(to_numbers(y), expected) << model;
  }
}

TEST(Mul, BroadcastsEitherSide) {
  const AffineParams unit = {};
  const Tensor<int8_t> matrix({2, 3}, {1, 2, 3, 4, 5, 6}), row({3}, {1, -2, 3});
  const Numbers expected = {1, -4, 9, 4, -10, 18};
  Numbers y(6);
  int8::mul(int8::prepare_mul(matrix.shape(), unit, row.shape(), unit, {}, Runtime::kTflite), matrix.data(),
            row.data(), y.data());
  EXPECT_EQ(y, expected);
  int8::mul(int8::prepare_mul(row.shape(), unit, matrix.shape(), unit, {}, Runtime::kTflite), row.data(),
            matrix.data(), y.data());
  EXPECT_EQ(y, expected);
  expect_error([&] { int8::prepare_mul(matrix.shape(), unit, {2}, unit, {}, Runtime::kTflite); },
               ErrorKind::kUsage, {"shapes do not fit", "mul", "[2,3] and [2]"});
}

TEST(Mul, SaturatesWhereTheMultiplierIsHuge) {
  const Tensor<int8_t> x1({4}, {-128, -1, 0, 127}), x2({1}, {127});
  for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    const OutputStage output = {.params = {.scale = 0x1p-30f, .zero_point = 7}, .rounding = rounding};
    Numbers y(4);
    int8::mul(int8::prepare_mul(x1.shape(), {}, x2.shape(), {}, output, Runtime::kTflite), x1.data(),
              x2.data(), y.data());
    EXPECT_EQ(y, (Numbers{-128, -128, 7, 127}));
  }
  const OutputStage overflow = {.params = {.scale = 1e-30f}};
  expect_error([&] { int8::prepare_mul({1}, {.scale = 1e30f}, {1}, {}, overflow, Runtime::kTflite); },
               ErrorKind::kNumeric, {"fixed point"});
}

}  // namespace
}  // namespace qlimit
