#include "quant/training/fake_quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/parallel.h"
#include "tests/quant/random_graph.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6,
                                       Activation::kReluN1To1};

Tensor<float> row(const std::vector<float>& numbers) {
  return Tensor<float>({1, static_cast<int64_t>(numbers.size())}, numbers);
}

std::vector<float> list(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

/// d (sum of upstream * f(x)) / dx
std::vector<float> gradient(const std::function<Variable(const Variable&)>& f, const std::vector<float>& x,
                            const std::vector<float>& upstream) {
  const Variable input = Variable::parameter(row(x));
  backward(f(input), row(upstream));
  return list(input.grad());
}

/// Numbers on and between the places of a grid, halves exactly, and far outside.
std::vector<float> numbers_around(const AffineParams& params, Random& rng) {
  std::vector<float> numbers = {0.0f,
                                -0.0f,
                                1e30f,
                                -1e30f,
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(),
                                6.0f,
                                -1.0f,
                                1.0f};
  for (int half_steps = -520; half_steps <= 520; ++half_steps) {
    const float x = params.scale * 0.5f * static_cast<float>(half_steps);
    numbers.insert(numbers.end(), {x, std::nextafter(x, 1e9f), std::nextafter(x, -1e9f)});
  }
  for (int i = 0; i < 500; ++i) numbers.push_back(static_cast<float>(rng.uniform(-300, 300)) * params.scale);
  return numbers;
}

TEST(FakeQuantize, GivesTheNumbersOfTheIntegerEngine) {
  Random rng(1, "grids");
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    for (int trial = 0; trial < 20; ++trial) {
      const float magnitude = std::exp2(static_cast<float>(rng.uniform(-12, 6)));
      const Range range = {.min = trial % 3 == 0 ? 0.0f : static_cast<float>(-rng.uniform()) * magnitude,
                           .max = static_cast<float>(rng.uniform()) * magnitude};
      const AffineParams params = activation_params(range, bits);
      const std::vector<float> numbers = numbers_around(params, rng);
      for (Activation activation : kActivations) {
        const Tensor<float> y = fake_quantize(Variable::constant(row(numbers)), params, activation).value();
        const OutputClamp clamp = output_clamp(activation, params);
        for (size_t i = 0; i < numbers.size(); ++i) {
          const int q = std::clamp<int>(quantize(numbers[i], params), clamp.min, clamp.max);
          const float expected = dequantize(static_cast<int8_t>(q), params);
          ASSERT_EQ(y[static_cast<int64_t>(i)], expected)
              << numbers[i] << " by " << params.scale << ", " << params.zero_point << ", " << bits << " bits";
          ASSERT_EQ(std::signbit(y[static_cast<int64_t>(i)]), std::signbit(expected)) << numbers[i];
        }
      }
    }
  }
}

TEST(FakeQuantize, GradientIsOneOnTheGridAndZeroBeyond) {
  const AffineParams two_bits = {.scale = 1.0f, .zero_point = -2, .bits = 2};  // 0, 1, 2, 3
  const std::vector<float> x = {-1, -0.5f, -0.4f, 0.4f, 0.5f, 1.5f, 3.4f, 3.5f, 9};
  const auto f = [&](const Variable& v) { return fake_quantize(v, two_bits); };
  EXPECT_EQ(list(f(Variable::constant(row(x))).value()), (std::vector<float>{0, 0, 0, 0, 1, 2, 3, 3, 3}));
  EXPECT_EQ(gradient(f, x, {1, 2, 3, 4, 5, 6, 7, 8, 9}), (std::vector<float>{0, 0, 3, 4, 5, 6, 7, 0, 0}));
}

TEST(FakeQuantize, AnActivationCutsTheGradientToo) {
  const AffineParams four_bits = {.scale = 1.0f, .zero_point = 0, .bits = 4};  // -8 ... 7
  const std::vector<float> x = {-3, -0.4f, 0, 0.3f, 5.9f, 6, 6.8f};
  const std::vector<float> ones(x.size(), 1.0f);
  const auto with = [&](Activation activation) {
    return gradient([&](const Variable& v) { return fake_quantize(v, four_bits, activation); }, x, ones);
  };
  EXPECT_EQ(with(Activation::kNone), (std::vector<float>{1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(with(Activation::kRelu), (std::vector<float>{0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(with(Activation::kRelu6), (std::vector<float>{0, 0, 0, 1, 1, 0, 0}));
}

TEST(FakeQuantize, GradientIsTheSlopeOfTheStraightLineInPlaceOfTheStaircase) {
  Random rng(2, "slopes");
  const AffineParams params = activation_params({-0.7f, 1.1f}, 3);
  const double low = params.scale * (params.low() - params.zero_point - 0.5);
  const double high = params.scale * (params.high() - params.zero_point + 0.5);
  const auto line = [&](double x) { return std::clamp(x, low, high); };
  std::vector<float> x;
  while (x.size() < 500) {
    const double v = rng.uniform(-2, 2);
    if (std::abs(v - low) > 1e-3 && std::abs(v - high) > 1e-3) x.push_back(static_cast<float>(v));
  }
  const auto found = gradient([&](const Variable& v) { return fake_quantize(v, params); }, x,
                              std::vector<float>(x.size(), 1.0f));
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(found[i], (line(x[i] + 1e-4) - line(x[i] - 1e-4)) / 2e-4, 1e-6) << x[i];
}

TEST(FakeQuantize, NotANumberStaysSoAndHasNoGradient) {
  const AffineParams params = activation_params({-1, 1}, 4);
  const Variable x = Variable::parameter(row({std::nanf(""), 0.5f}));
  const Variable y = fake_quantize(x, params);
  EXPECT_TRUE(std::isnan(y.value()[0]));
  backward(y, row({1, 1}));
  EXPECT_EQ(list(x.grad()), (std::vector<float>{0, 1}));
}

TEST(LearnedStep, HasTheGradientOfEquation3AwayFromTheBounds) {
  // Step 0.5, three bits from 0 on: 0, 0.5, ... 3.5. In steps: 1.2 -> 1, -2 -> 0, 20 -> 7, 6.6 -> 7.
  const Variable step = Variable::parameter(Tensor<float>({1}, {0.5f}));
  const Variable x = Variable::parameter(row({0.6f, -1, 10, 3.3f}));
  const Variable y = fake_quantize_learned(x, step, -4, 3);
  EXPECT_EQ(list(y.value()), (std::vector<float>{0.5f, 0, 3.5f, 3.5f}));
  backward(y, row({1, 2, 3, 4}));
  EXPECT_EQ(list(x.grad()), (std::vector<float>{1, 0, 0, 4}));
  const double sum = 1 * (1 - 1.2) + 2 * 0 + 3 * 7 + 4 * (7 - 6.6);
  EXPECT_NEAR(step.grad()[0], sum / std::sqrt(4 * 7.0), 1e-5) << "4 elements an image, 7 steps";
}

TEST(LearnedStep, HasTheSlopeOfTheSurrogate) {
  // On the grid step * (x / step + r) with the rounding error r held fast, elsewhere step * bound.
  Random rng(3, "slopes");
  const double s = 0.21;
  const int bits = 4, zero_point = 3, low = -8 - zero_point, high = 7 - zero_point;
  for (int trial = 0; trial < 200; ++trial) {
    const double x = rng.uniform(-4, 4), v = x / s;
    if (std::abs(v - std::round(v)) > 0.49) continue;  // too near to where the surrogate jumps
    const double q = std::clamp<double>(std::round(v), low, high), r = q - v;
    const bool inside = std::round(v) == q;
    const auto surrogate = [&](double at) { return inside ? at * (x / at + r) : at * q; };
    const Variable step = Variable::parameter(Tensor<float>({1}, {static_cast<float>(s)}));
    const Variable at_x = Variable::constant(row({static_cast<float>(x)}));
    backward(fake_quantize_learned(at_x, step, zero_point, bits), row({1}));
    const double slope = (surrogate(s + 1e-5) - surrogate(s - 1e-5)) / 2e-5;
    EXPECT_NEAR(step.grad()[0], slope / std::sqrt(high), 2e-5) << x;
  }
}

// With 2 bits and zero point 1 the grid is -3, -2, -1, 0: no step is positive, and sqrt(n * top) were 0.
TEST(LearnedStep, AGridThatEndsAtZeroHasAFiniteGradient) {
  const Variable x = Variable::constant(row({-5.0f, 1.0f, -0.6f}));
  const Variable step = Variable::parameter(Tensor<float>({1}, {1.0f}));
  backward(fake_quantize_learned(x, step, 1, 2), row({1, 1, 1}));
  // -3 where it is cut off below, 0 where it is above, and -1 - -0.6 on the grid, over sqrt(3 * 1).
  EXPECT_NEAR(step.grad()[0], (-3 + 0 - 0.4) / std::sqrt(3.0), 1e-6);
}

TEST(LearnedStep, BatchesDoNotChangeTheScaleOfTheGradient) {
  // The loss is a mean over images, so their number must not enter a second time.
  const Variable one = Variable::parameter(Tensor<float>({1}, {0.5f}));
  backward(fake_quantize_learned(Variable::constant(row({0.6f, 1.7f})), one, 0, 4), row({1, 1}));
  const Variable two = Variable::parameter(Tensor<float>({1}, {0.5f}));
  const Tensor<float> twice({2, 2}, {0.6f, 1.7f, 0.6f, 1.7f});
  backward(fake_quantize_learned(Variable::constant(twice), two, 0, 4), Tensor<float>::full({2, 2}, 0.5f));
  EXPECT_NEAR(one.grad()[0], two.grad()[0], 1e-6);
}

TEST(LearnedStep, AgreesWithTheOtherOnTheSameGrid) {
  Random rng(4, "same");
  for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
    const AffineParams params = activation_params({-1.0f, 2.0f}, bits);
    const Variable x = Variable::constant(random_tensor({50, 40}, rng, 2.0));
    const Variable step = Variable::parameter(Tensor<float>({1}, {params.scale}));
    EXPECT_EQ(list(fake_quantize_learned(x, step, params.zero_point, bits, Activation::kRelu).value()),
              list(fake_quantize(x, params, Activation::kRelu).value()));
  }
}

TEST(LearnedStep, DoesNotDependOnTheNumberOfThreads) {
  Random rng(5, "threads");
  const Tensor<float> x = random_tensor({7, 30011}, rng), upstream = random_tensor({7, 30011}, rng);
  std::vector<float> gradients;
  for (int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    const Variable step = Variable::parameter(Tensor<float>({1}, {0.3f}));
    backward(fake_quantize_learned(Variable::constant(x), step, 0, 4), upstream);
    gradients.push_back(step.grad()[0]);
  }
  set_thread_count(1);
  for (float g : gradients) EXPECT_EQ(g, gradients[0]);
}

TEST(FakeFilter, GivesTheNumbersOfQuantizeFilter) {
  Random rng(6, "filters");
  struct Case {
    Shape shape;
    int axis;
    int64_t channels;
  };
  for (const Case& c : {Case{{5, 3, 3, 4}, 0, 5}, Case{{1, 3, 3, 6}, 3, 6}, Case{{4, 30}, 0, 4}}) {
    for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
      for (Granularity granularity : {Granularity::kPerTensor, Granularity::kPerChannel}) {
        const Tensor<float> w = random_tensor(c.shape, rng), b = random_tensor({c.channels}, rng);
        std::vector<float> half = weight_half_ranges(w, c.axis, granularity);
        for (float& h : half) h *= 0.8f;  // some are cut off
        const float input_scale = 0.037f;
        const QuantizedFilter q = quantize_filter(w, b, c.axis, half, input_scale, bits);
        const FakeFilter fake = fake_quantize_filter(Variable::parameter(w), Variable::parameter(b), c.axis,
                                                     half, input_scale, bits);
        const auto scale_of = [&](int64_t channel) {
          return q.scales[q.scales.size() == 1 ? 0 : static_cast<size_t>(channel)];
        };
        for (int64_t i = 0; i < w.size(); ++i) {
          const int64_t channel = c.axis == 3 ? i % c.channels : i / (w.size() / c.channels);
          ASSERT_EQ(fake.weight.value()[i], dequantize(q.weight[i], {.scale = scale_of(channel)}));
        }
        for (int64_t channel = 0; channel < c.channels; ++channel) {
          const double unit = static_cast<double>(input_scale) * scale_of(channel);
          ASSERT_EQ(fake.bias.value()[channel],
                    static_cast<float>(unit * q.bias[static_cast<size_t>(channel)]));
        }
      }
    }
  }
}

TEST(FakeFilter, GradientIsCutOffWithTheWeight) {
  // Two channels with half ranges 3 and 6 in 3 bits: scales 1 and 2, so 3.4 still rounds to 3 and 3.6 is cut.
  const Variable weight = Variable::parameter(Tensor<float>({2, 3}, {3.4f, -3.6f, 1.2f, 6.9f, -7.1f, 0.2f}));
  const Variable bias = Variable::parameter(Tensor<float>({2}, {0.3f, -5}));
  const FakeFilter fake = fake_quantize_filter(weight, bias, 0, {3, 6}, 0.5f, 3);
  EXPECT_EQ(list(fake.weight.value()), (std::vector<float>{3, -3, 1, 6, -6, 0}));
  EXPECT_EQ(list(fake.bias.value()), (std::vector<float>{0.5f, -5}));
  backward(fake.weight, Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  backward(fake.bias, Tensor<float>({2}, {7, 8}));
  EXPECT_EQ(list(weight.grad()), (std::vector<float>{1, 0, 3, 4, 0, 6}));
  EXPECT_EQ(list(bias.grad()), (std::vector<float>{7, 8}));
}

TEST(FakeFilter, LearnedStepsHaveTheirGradients) {
  // The same grids, given by their steps.
  const Variable weight = Variable::parameter(Tensor<float>({2, 3}, {3.4f, -3.6f, 1.2f, 6.9f, -7.1f, 0.2f}));
  const Variable steps = Variable::parameter(Tensor<float>({2}, {1, 2}));
  const FakeFilter fake = fake_quantize_filter_learned(weight, {}, 0, steps, 1.0f, 3);
  EXPECT_FALSE(fake.bias);
  EXPECT_EQ(list(fake.weight.value()), (std::vector<float>{3, -3, 1, 6, -6, 0}));
  backward(fake.weight, Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(list(weight.grad()), (std::vector<float>{1, 0, 3, 4, 0, 6}));
  const double first = 1 * (3 - 3.4) + 2 * -3 + 3 * (1 - 1.2);
  const double second = 4 * (3 - 3.45) + 5 * -3 + 6 * (0 - 0.1);
  EXPECT_NEAR(steps.grad()[0], first / std::sqrt(3 * 3.0), 1e-5) << "3 weights each, 3 steps";
  EXPECT_NEAR(steps.grad()[1], second / std::sqrt(3 * 3.0), 1e-5);

  const Variable step = Variable::parameter(Tensor<float>({1}, {1}));
  const FakeFilter one = fake_quantize_filter_learned(weight, {}, 0, step, 1.0f, 3);
  EXPECT_EQ(list(one.weight.value()), (std::vector<float>{3, -3, 1, 3, -3, 0}));
  backward(one.weight, Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const double sum = first + 4 * 3 + 5 * -3 + 6 * -0.2;
  EXPECT_NEAR(step.grad()[0], sum / std::sqrt(6 * 3.0), 1e-5) << "one step for all six";
}

TEST(FakeQuantize, RefusesWidthsThatDoNotExist) {
  const Variable x = Variable::constant(row({1}));
  const Variable step = Variable::parameter(Tensor<float>({1}, {1}));
  expect_error([&] { fake_quantize_learned(x, step, 0, 9); }, ErrorKind::kUsage, {"2 to 8 bits"});
}

}  // namespace
}  // namespace qlimit
