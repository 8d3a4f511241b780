// Kernels that take element by element, or reduce.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "quant/kernels/add.h"
#include "quant/kernels/lookup.h"
#include "quant/kernels/mean.h"
#include "quant/kernels/mul.h"
#include "quant/kernels/quantize.h"
#include "quant/kernels/requantize.h"
#include "quant/kernels/softmax.h"
#include "tests/quant/int8_kernels.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

TEST_F(Int8Kernels, MeanOverRowsAndColumns) {
  Random random(5, "mean");
  for (int model = 0; model < kModels; ++model) {
    const Tensor<int8_t> x = random_tensor(
        random, {between(random, 1, 2), between(random, 1, 8), between(random, 1, 8), between(random, 1, 3)},
        -128);
    const AffineParams params = random_params(random);
    OutputStage output = random_output(random, params.scale);
    output.activation = Activation::kNone;

    const int64_t count = x.dim(1) * x.dim(2);
    QuantizedMultiplier m =
        quantize_multiplier(double{params.scale} / double{output.params.scale}, output.rounding);
    int bits = 0;
    while ((int64_t{2} << bits) <= count) ++bits;
    m = {static_cast<int32_t>(wide::floor_divide(m.multiplier * wide::power_of_two(bits), count)),
         m.shift - bits};
    Numbers expected;
    for (int64_t n = 0; n < x.dim(0); ++n) {
      for (int64_t c = 0; c < x.dim(3); ++c) {
        wide::Integer sum = 0;
        for (int64_t h = 0; h < x.dim(1); ++h)
          for (int64_t w = 0; w < x.dim(2); ++w) sum += x(n, h, w, c) - params.zero_point;
        const wide::Integer y = wide::multiply(sum, m, output.rounding) + output.params.zero_point;
        expected.push_back(static_cast<int8_t>(std::clamp<wide::Integer>(y, -128, 127)));
      }
    }
    Numbers y(expected.size());
    mean(int8::prepare_mean(x.shape(), params, {1, 2}, output), x.data(), y.data());
    ASSERT_EQ(y, expected) << model;
    mean(int8::prepare_mean(x.shape(), params, {-2, -3, 1}, output), x.data(), y.data());  // the same axes
    ASSERT_EQ(y, expected) << model;
  }
}

// The least multiplier there is, over many elements: its shift must stay one that the arithmetic knows.
TEST_F(Int8Kernels, MeanOfManyElementsWithATinyMultiplier) {
  const AffineParams input = {.scale = 0x1p-30f, .zero_point = -128};
  const OutputStage output = {.params = {.scale = 1.0f, .zero_point = 3}};
  const int8::MeanParams params = int8::prepare_mean({1, 64, 64, 1}, input, {1, 2}, output);
  EXPECT_GE(params.multiplier.shift, -31);
  const Tensor<int8_t> x = Tensor<int8_t>::full({1, 64, 64, 1}, 127);
  int8_t y = 99;
  mean(params, x.data(), &y);
  EXPECT_EQ(y, 3);
}

TEST_F(Int8Kernels, AddIsExactToItsFineScale) {
  Random random(6, "add");
  for (int model = 0; model < kModels; ++model) {
    const Tensor<int8_t> x1 = random_tensor(random, {1, 50}, -128);
    const Tensor<int8_t> x2 = random_tensor(random, {1, 50}, -128);
    const AffineParams p1 = random_params(random), p2 = random_params(random);
    const OutputStage output = random_output(random, std::max(p1.scale, p2.scale));

    const double common = 2 * std::max(double{p1.scale}, double{p2.scale});
    const auto fine = [&](int8_t x, AffineParams p) {
      return wide::multiply((x - p.zero_point) * wide::power_of_two(20),
                            quantize_multiplier(double{p.scale} / common, output.rounding), output.rounding);
    };
    Numbers expected;
    for (int64_t i = 0; i < x1.size(); ++i) {
      expected.push_back(finish(fine(x1[i], p1) + fine(x2[i], p2),
                                common / (std::ldexp(1.0, 20) * double{output.params.scale}), output));
    }
    Tensor<int8_t> y = x1.clone();  // in place
    add(int8::prepare_add(x1.shape(), p1, x2.shape(), p2, output), y.data(), x2.data(), y.data());
    ASSERT_EQ(to_numbers(y), expected) << model;
  }
}

TEST_F(Int8Kernels, AddBroadcastsEitherSide) {
  const AffineParams unit = {};
  const Tensor<int8_t> matrix({2, 3}, {1, 2, 3, 4, 5, 6}), row({3}, {10, 20, 30});
  const Numbers expected = {11, 22, 33, 14, 25, 36};
  Numbers y(6);
  add(int8::prepare_add(matrix.shape(), unit, row.shape(), unit, {}), matrix.data(), row.data(), y.data());
  EXPECT_EQ(y, expected);
  add(int8::prepare_add(row.shape(), unit, matrix.shape(), unit, {}), row.data(), matrix.data(), y.data());
  EXPECT_EQ(y, expected);
  expect_error([&] { int8::prepare_add(matrix.shape(), unit, {2}, unit, {}); }, ErrorKind::kUsage,
               {"shapes do not fit", "add", "[2,3] and [2]"});
}

TEST_F(Int8Kernels, AddRefusesAnOutputScaleThatIsTooSmall) {
  const auto with_output_scale = [](float scale) {
    return [scale] {
      int8::prepare_add({2}, {.scale = 0.5f}, {2}, {.scale = 1.0f}, {.params = {.scale = scale}});
    };
  };
  EXPECT_NO_THROW(with_output_scale(0x1.000002p-19f)());
  expect_error(with_output_scale(0x1p-19f), ErrorKind::kNumeric, {"output scale is too small", "add"});
}

// Equal shapes, one number for all, one for each channel, one for each channel of an image, and any other
// mix.
TEST_F(Int8Kernels, PairsInVectorsEqualThePlainLoop) {
  Random random(16, "pairs");
  for (int model = 0; model < kModels; ++model) {
    Shape shapes[2] = {
        {between(random, 1, 2), between(random, 1, 4), between(random, 1, 5), between(random, 1, 40)},
        {1, 1, 1, 1}};
    std::array<int64_t, 4> sizes[2] = {};
    for (size_t axis = 0; axis < 4; ++axis) {
      const int64_t size = shapes[0][static_cast<int>(axis)], repeated = random.below(4);
      sizes[0][axis] = repeated == 0 ? 1 : size;
      sizes[1][axis] = repeated == 1 ? 1 : size;
      if (model % 4 == 0) sizes[0][axis] = sizes[1][axis] = size;
    }
    for (int side : {0, 1}) shapes[side] = Shape(sizes[side]);
    const Tensor<int8_t> x1 = random_tensor(random, shapes[0], -128),
                         x2 = random_tensor(random, shapes[1], -128);
    const AffineParams p1 = random_params(random), p2 = random_params(random);

    const auto expect_equal = [&](auto params, const auto& run) {
      // The plain loop, on numbers that are repeated by hand.
      const Shape& shape = params.pairs.shape();
      Tensor<int8_t> whole1(shape), whole2(shape), expected(shape), y(shape);
      for (int64_t n = 0; n < shape[0]; ++n) {
        for (int64_t h = 0; h < shape[1]; ++h) {
          for (int64_t w = 0; w < shape[2]; ++w) {
            for (int64_t c = 0; c < shape[3]; ++c) {
              const auto of = [&](const Tensor<int8_t>& x) {
                return x(n % x.dim(0), h % x.dim(1), w % x.dim(2), c % x.dim(3));
              };
              whole1(n, h, w, c) = of(x1);
              whole2(n, h, w, c) = of(x2);
            }
          }
        }
      }
      auto plain = params;
      plain.pairs = Broadcast("test", shape, shape);
      plain.in_vectors = false;
      run(plain, whole1.data(), whole2.data(), expected.data());
      for (Isa isa : supported_isas()) {
        set_active_isa(isa);
        run(params, x1.data(), x2.data(), y.data());
        ASSERT_EQ(to_numbers(y), to_numbers(expected)) << model << " on " << isa_name(isa);
      }
    };
    expect_equal(
        int8::prepare_add(shapes[0], p1, shapes[1], p2, random_output(random, std::max(p1.scale, p2.scale))),
        int8::add);
    expect_equal(
        int8::prepare_mul(shapes[0], p1, shapes[1], p2,
                          random_output(random, double{p1.scale} * double{p2.scale}), Runtime::kTflite),
        int8::mul);
  }
}

TEST_F(Int8Kernels, RequantizeAndRelu) {
  Random random(7, "requantize");
  Numbers x(256);
  std::iota(x.begin(), x.end(), int8_t{-128});
  for (int model = 0; model < kModels; ++model) {
    const AffineParams params = random_params(random);
    const OutputStage output = random_output(random, params.scale);
    const float narrow = params.scale / output.params.scale;
    Numbers exact, relu;
    for (int8_t q : x) {
      exact.push_back(
          finish(q - params.zero_point, double{params.scale} / double{output.params.scale}, output));
      relu.push_back(finish(q - params.zero_point, double{narrow}, output));
    }
    Numbers y(256);
    requantize(int8::prepare_requantize(params, output), x.data(), 256, y.data());
    ASSERT_EQ(y, exact) << model;
    requantize(int8::prepare_relu(params, output), x.data(), 256, y.data());
    ASSERT_EQ(y, relu) << model;
  }
}

// The fixed-point exponential and reciprocal are accurate to far below a step of 1/256, so each probability
// is the rounded real one, or its neighbour where that is close to a tie.
TEST_F(Int8Kernels, SoftmaxIsTheRealSoftmax) {
  Random random(8, "softmax");
  for (int model = 0; model < kModels; ++model) {
    const int64_t classes = between(random, 1, 40);
    const Tensor<int8_t> x = random_tensor(random, {2, classes}, -128);
    const AffineParams params = {.scale = static_cast<float>(random.uniform(0.001, 0.5)), .zero_point = 5};
    Numbers y(static_cast<size_t>(x.size()));
    softmax(int8::prepare_softmax(x.shape(), params, 1.0f), x.data(), y.data());
    for (int64_t row = 0; row < 2; ++row) {
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) sum += std::exp(double{params.scale} * x(row, c));
      for (int64_t c = 0; c < classes; ++c) {
        const double probability = std::exp(double{params.scale} * x(row, c)) / sum;
        const double expected = std::min(256 * probability - 128, 127.0);
        ASSERT_NEAR(y[static_cast<size_t>(row * classes + c)], expected, 0.51) << model;
      }
    }
  }
}

TEST_F(Int8Kernels, SoftmaxOfVeryManyEqualLogits) {
  for (int64_t classes : {511, 512, 4095}) {
    const Tensor<int8_t> x({1, classes});
    Numbers y(static_cast<size_t>(classes), 99);
    softmax(int8::prepare_softmax(x.shape(), {.scale = 0.1f}, 1.0f), x.data(), y.data());
    EXPECT_EQ(y, Numbers(y.size(), classes == 511 ? int8_t{-127} : int8_t{-128})) << classes;
  }
  const Shape few = {1, 4}, many = {1, 4096};
  expect_error([&] { int8::prepare_softmax(many, {.scale = 0.1f}, 1.0f); }, ErrorKind::kUnsupported,
               {"softmax", "K from 1 to 4095"});
  expect_error([&] { int8::prepare_softmax(few, {.scale = 1e-9f}, 1.0f); }, ErrorKind::kNumeric,
               {"softmax", "input scale is too small"});
}

TEST_F(Int8Kernels, LookupRoundsAwayFromZeroAndSaturates) {
  const AffineParams input = {.scale = 1.0f, .zero_point = -128};
  const AffineParams output = {.scale = 1.0f, .zero_point = 0};
  const int8::Lookup halves = int8::make_lookup([](double r) { return (r - 128) / 2; }, input, output);
  const Numbers x = {-128, -127, -1, 0, 1, 127};  // r = 0, 1, 127, 128, 129, 255
  Numbers y(x.size());
  int8::lookup(halves, x.data(), static_cast<int64_t>(x.size()), y.data());
  EXPECT_EQ(y, (Numbers{-64, -64, -1, 0, 1, 64}));  // -63.5, -0.5, 0.5 and 63.5 are ties
  const int8::Lookup steep = int8::make_lookup([](double r) { return 1 / (r - 128); }, input, {1e-6f, 0});
  int8::lookup(steep, x.data(), static_cast<int64_t>(x.size()), y.data());
  EXPECT_EQ(y, (Numbers{-128, -128, -128, 127, 127, 127}));  // an infinity at r = 128
  expect_error([&] { int8::make_lookup([](double r) { return std::log(r - 1); }, input, output); },
               ErrorKind::kNumeric, {"pointwise function is not a number"});
}

TEST_F(Int8Kernels, QuantizeNamesTheElementThatIsNoNumber) {
  const std::vector<float> x = {0.0f, 1.0f, std::nanf("")};
  Numbers y(3);
  try {
    int8::quantize({}, x.data(), 3, y.data());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("element 2"), std::string::npos) << error.what();
  }
}
}  // namespace
}  // namespace qlimit
