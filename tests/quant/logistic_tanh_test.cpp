// LOGISTIC and TANH in integers: both runtimes' tables against recorded ones, and the functions' properties.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "quant/kernels/fixed_point_functions.h"
#include "quant/kernels/logistic.h"
#include "tests/quant/golden.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using golden::Json;
using int8::Lookup;

constexpr Runtime kRuntimes[] = {Runtime::kTflite, Runtime::kTfliteMicro};

TEST(Logistic, EqualsTheRecordedRuntimes) {
  golden::expect_runtimes("logistic", 48, [](const Json& c, Runtime runtime, int8_t* y) {
    const Lookup table = int8::logistic_table(golden::to_params(c, "s_in", "z_in"),
                                              golden::to_params(c, "s_out", "z_out"), runtime);
    std::copy(table.begin(), table.end(), y);
  });
}

TEST(Tanh, EqualsTheRecordedRuntimes) {
  golden::expect_runtimes("tanh", 48, [](const Json& c, Runtime runtime, int8_t* y) {
    const Lookup table = int8::tanh_table(golden::to_params(c, "s_in", "z_in"),
                                          golden::to_params(c, "s_out", "z_out"), runtime);
    std::copy(table.begin(), table.end(), y);
  });
}

// logistic(-r) = 1 - logistic(r) and tanh(-r) = -tanh(r), where nothing saturates; the ends differ because
// int8 does not reach +1.
TEST(Logistic, IsSymmetric) {
  for (Runtime runtime : kRuntimes) {
    const Lookup logistic = int8::logistic_table({.scale = 0.03f}, int8::kLogisticParams, runtime);
    const Lookup tanh = int8::tanh_table({.scale = 0.01f}, int8::kTanhParams, runtime);
    for (size_t steps = 0; steps < 128; ++steps) {
      EXPECT_EQ(logistic[128 + steps] + logistic[128 - steps], 0) << steps;
      EXPECT_EQ(tanh[128 + steps] + tanh[128 - steps], 0) << steps;
    }
  }
}

TEST(Logistic, RisesFromEndToEnd) {
  for (Runtime runtime : kRuntimes) {
    for (float scale : {0x1p-20f, 0.01f, 0.5f, 100.0f}) {
      const Lookup logistic = int8::logistic_table({.scale = scale}, int8::kLogisticParams, runtime);
      const Lookup tanh = int8::tanh_table({.scale = scale}, int8::kTanhParams, runtime);
      EXPECT_TRUE(std::is_sorted(logistic.begin(), logistic.end())) << scale;
      EXPECT_TRUE(std::is_sorted(tanh.begin(), tanh.end())) << scale;
    }
    const Lookup steep = int8::logistic_table({.scale = 100.0f}, int8::kLogisticParams, runtime);
    EXPECT_EQ(steep.front(), -128);
    EXPECT_EQ(steep.back(), 127);
  }
}

// Within half a step of the real function, and a little for the arithmetic.
TEST(Logistic, IsNearTheRealFunction) {
  for (Runtime runtime : kRuntimes) {
    for (float scale : {0.004f, 0.03f, 0.0625f, 0.2f}) {
      for (int32_t zero_point : {-128, -7, 127}) {
        const AffineParams input = {.scale = scale, .zero_point = zero_point};
        const Lookup logistic = int8::logistic_table(input, int8::kLogisticParams, runtime);
        const Lookup tanh = int8::tanh_table(input, int8::kTanhParams, runtime);
        for (int32_t q = kInt8Min; q <= kInt8Max; ++q) {
          const double r = double{scale} * (q - zero_point);
          const auto at = static_cast<size_t>(q + 128);
          EXPECT_NEAR(logistic[at], std::min(256 / (1 + std::exp(-r)) - 128, 127.0), 0.5001) << r;
          EXPECT_NEAR(tanh[at], std::min(128 * std::tanh(r), 127.0), 0.5001) << r;
        }
      }
    }
  }
}

// The exponential's Taylor polynomial leaves out at most (1/8)^5 / 5! = 2.5e-7.
TEST(Logistic, FixedPointFormsAreAccurate) {
  const double one = std::ldexp(1.0, 31), argument_one = std::ldexp(1.0, 27);
  for (double r = -15.9; r < 16; r += 0.0373) {
    const auto a = static_cast<int32_t>(r * argument_one);
    const double exact = a / argument_one;
    EXPECT_NEAR(int8::fixed_point_logistic(a) / one, 1 / (1 + std::exp(-exact)), 2.5e-7) << r;
    EXPECT_NEAR(int8::fixed_point_tanh(a) / one, std::tanh(exact), 2.5e-7) << r;
  }
  EXPECT_EQ(int8::fixed_point_logistic(0), 1 << 30);
  EXPECT_EQ(int8::fixed_point_tanh(0), 0);
}

// Other outputs than the usual: TFLite's table obeys them, TFLite Micro has no way to.
TEST(Logistic, OutputParametersAreObeyedOrRefused) {
  const Lookup table = int8::tanh_table({.scale = 1.0f}, {.scale = 0.5f, .zero_point = 10}, Runtime::kTflite);
  EXPECT_EQ(table[128], 10);
  EXPECT_EQ(table[255], 12);
  expect_error([] { int8::tanh_table({}, {.scale = 0.5f, .zero_point = 10}, Runtime::kTfliteMicro); },
               ErrorKind::kUnsupported, {"only one scale", "tanh", "found 0.5 and 10"});
  expect_error([] { int8::logistic_table({}, int8::kTanhParams, Runtime::kTfliteMicro); },
               ErrorKind::kUnsupported, {"only one scale", "logistic"});
}

TEST(Logistic, RefusesScalesThatHaveNoMeaning) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  expect_error([] { int8::tanh_table({.scale = kInfinity}, int8::kTanhParams, Runtime::kTflite); },
               ErrorKind::kNumeric, {"not a number", "zero or infinite"});
  expect_error([] { int8::tanh_table({.scale = kInfinity}, int8::kTanhParams, Runtime::kTfliteMicro); },
               ErrorKind::kNumeric, {"fixed point", "inf"});
  expect_error([] { int8::tanh_table({}, {.scale = 0.0f}, Runtime::kTflite); }, ErrorKind::kNumeric,
               {"not a number", "zero or infinite"});
  expect_error(
      [] { int8::logistic_table({.scale = 0x1p-29f}, int8::kLogisticParams, Runtime::kTfliteMicro); },
      ErrorKind::kNumeric, {"input scale is too small", "logistic"});
  EXPECT_NO_THROW(int8::logistic_table({.scale = 0x1p-28f}, int8::kLogisticParams, Runtime::kTfliteMicro));
}

}  // namespace
}  // namespace qlimit
