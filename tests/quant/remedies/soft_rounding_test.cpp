#include "quant/remedies/soft_rounding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/pointwise.h"
#include "tests/quant/random_graph.h"

namespace qlimit {
namespace {

/// The function and its derivative, in double.
Pointwise rectified_sigmoid_functions() {
  const Variable h = rectified_sigmoid(Variable::parameter(Tensor<Real>({1})));
  return std::any_cast<Pointwise>(h.operation().options);
}

TEST(RectifiedSigmoid, ReachesBothEnds) {
  const Pointwise h = rectified_sigmoid_functions();
  EXPECT_DOUBLE_EQ(h.function(0), 0.5);
  EXPECT_EQ(h.function(-3), 0.0);
  EXPECT_EQ(h.function(3), 1.0);
  EXPECT_NEAR(h.function(1), 1.2 / (1 + std::exp(-1)) - 0.1, 1e-15);
  for (double share = 0; share <= 1; share += 1.0 / 64)
    EXPECT_NEAR(h.function(inverse_rectified_sigmoid(share)), share, 1e-12);
}

TEST(RectifiedSigmoid, HasTheSlopeOfItsFunction) {
  const Pointwise h = rectified_sigmoid_functions();
  constexpr double kStep = 1e-6;
  for (double v = -4; v <= 4; v += 0.01) {
    if (std::abs(std::abs(v) - std::log(11)) < 0.005) continue;  // the two bends
    const double slope = (h.function(v + kStep) - h.function(v - kStep)) / (2 * kStep);
    EXPECT_NEAR(h.derivative(v), slope, 1e-9) << v;
  }
}

/// Equation 24.
double indecision_of(const std::vector<double>& h, double beta, double weight) {
  double sum = 0;
  for (double x : h) sum += 1 - std::pow(std::abs(2 * x - 1), beta);
  return weight * sum;
}

TEST(Indecision, HasTheValueAndTheSlopeOfItsFormula) {
  const std::vector<double> h = {0, 0.03, 0.25, 0.5, 0.625, 0.9, 1};
  constexpr double kStep = 1e-6, kWeight = 0.7;
  for (const double beta : {2.0, 3.5, 20.0}) {
    const Variable x = Variable::parameter(Tensor<Real>({7}, std::vector<Real>(h.begin(), h.end())));
    const Variable loss = indecision(x, beta, kWeight);
    EXPECT_NEAR(loss.value()[0], indecision_of(h, beta, kWeight), 1e-6);
    backward(loss);
    for (size_t i = 0; i < h.size(); ++i) {
      std::vector<double> more = h, less = h;
      more[i] += kStep;
      less[i] -= kStep;
      const double slope =
          (indecision_of(more, beta, kWeight) - indecision_of(less, beta, kWeight)) / (2 * kStep);
      EXPECT_NEAR(x.grad()[static_cast<int64_t>(i)], slope, 2e-5) << h[i] << " " << beta;
    }
  }
}

TEST(Indecision, IsNothingWhereAllIsDecided) {
  const Variable h = Variable::parameter(Tensor<Real>({4}, {0, 1, 1, 0}));
  EXPECT_EQ(indecision(h, 5, 1).value()[0], 0);
}

TEST(SoftRounding, BeginsAtTheRealWeights) {
  Random rng(1, "begin");
  for (const int axis : {0, 3}) {
    const Tensor<float> weight = random_tensor({1, 3, 3, 6}, rng);
    const std::vector<float> half(static_cast<size_t>(weight.dim(axis)), 3.5f);  // clips none
    const QuantizedFilter filter = quantize_filter(weight, {}, axis, half, 0.1f, 4);
    const SoftRounding rounding(weight, filter, axis);
    const Variable soft = rounding.weight(rectified_sigmoid(rounding.v()));
    for (int64_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(soft.value()[i], weight[i], 1e-5);
    const Tensor<int8_t> rounded = rounding.rounded();
    for (int64_t i = 0; i < weight.size(); ++i) EXPECT_EQ(rounded[i], filter.weight[i]) << "the nearest";
  }
}

TEST(SoftRounding, ClippedWeightsHaveNoChoiceAndNoGradient) {
  // Two channels with steps 1 and 2 in 3 bits, so [-3,3]. In steps: 0.4, -3.6, 3.2, -2.1 | 1.5, 2.9, 5, -0.2.
  const Tensor<float> weight({2, 4}, {0.4f, -3.6f, 3.2f, -2.1f, 3, 5.8f, 10, -0.4f});
  const QuantizedFilter filter = quantize_filter(weight, {}, 0, {3, 6}, 1.0f, 3);
  const SoftRounding rounding(weight, filter, 0);
  const auto soft_weight = [&](Real h) {
    return rounding.weight(Variable::parameter(Tensor<Real>::full({2, 4}, h))).value();
  };
  const auto list = [](const Tensor<Real>& x) { return std::vector<Real>(x.begin(), x.end()); };
  EXPECT_EQ(list(soft_weight(0)), (std::vector<Real>{0, -3, 3, -3, 2, 4, 6, -2}));
  EXPECT_EQ(list(soft_weight(1)), (std::vector<Real>{1, -3, 3, -2, 4, 6, 6, 0}));
  EXPECT_EQ(list(soft_weight(0.25)), (std::vector<Real>{0.25, -3, 3, -2.75, 2.5, 4.5, 6, -1.5}));

  const Variable h = Variable::parameter(Tensor<Real>::full({2, 4}, 0.5f));
  backward(rounding.weight(h), Tensor<Real>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(list(h.grad()), (std::vector<Real>{1, 0, 0, 4, 10, 12, 0, 16}));
}

}  // namespace
}  // namespace qlimit
