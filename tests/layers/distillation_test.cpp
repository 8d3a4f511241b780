#include "layers/distillation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "layers/softmax_cross_entropy.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Tensor<Real> normal(const Shape& shape, uint64_t seed, double deviation = 2) {
  Random random(seed, "logits");
  Tensor<Real> values(shape);
  for (Real& value : values) value = static_cast<Real>(deviation * random.normal());
  return values;
}

struct Result {
  double loss;
  Tensor<Real> gradient;
};

template <typename Loss>
Result result(const Tensor<Real>& logits, const Loss& loss) {
  const Variable z = Variable::parameter(logits.clone());
  const Variable value = loss(z);
  const double number = value.value()[0];
  backward(value);
  return {number, z.grad()};
}

TEST(Distillation, WithoutATeacherItIsCrossEntropy) {
  const Tensor<Real> logits = normal({5, 7}, 1), teacher = normal({5, 7}, 2);
  const std::vector<uint8_t> labels = {0, 6, 3, 3, 1};
  const Result ours = result(logits, [&](const Variable& z) {
    return distillation(z, teacher, labels, {.temperature = 3, .teacher_share = 0});
  });
  const Result theirs = result(logits, [&](const Variable& z) { return softmax_cross_entropy(z, labels); });
  EXPECT_NEAR(ours.loss, theirs.loss, 1e-6);
  for (int64_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(ours.gradient[i], theirs.gradient[i], 1e-6);
}

TEST(Distillation, AStudentThatAnswersAlikeLosesNothing) {
  const Tensor<Real> logits = normal({4, 10}, 3);
  Tensor<Real> shifted = logits.clone();  // softmax does not see a constant
  for (Real& value : shifted) value += 5;
  const Result same = result(logits, [&](const Variable& z) {
    return distillation(z, shifted, {1, 2, 3, 4}, {.temperature = 4, .teacher_share = 1});
  });
  EXPECT_NEAR(same.loss, 0, 1e-6);
  for (const Real value : same.gradient) EXPECT_NEAR(value, 0, 1e-6);
}

// Two classes, temperature 2: p = 3/4, 1/4 from the teacher (logits 2 log 3, 0), q = 1/2, 1/2 from the
// student: T^2 KL = 4 (3/4 log 3/2 + 1/4 log 1/2); the gradient is T (q - p) = -1/2, 1/2.
TEST(Distillation, ByHand) {
  const Tensor<Real> teacher({1, 2}, {static_cast<Real>(2 * std::log(3)), 0});
  const Result ours = result(Tensor<Real>({1, 2}), [&](const Variable& z) {
    return distillation(z, teacher, {1}, {.temperature = 2, .teacher_share = 1});
  });
  EXPECT_NEAR(ours.loss, 4 * (0.75 * std::log(1.5) + 0.25 * std::log(0.5)), 1e-6);
  EXPECT_NEAR(ours.gradient[0], -0.5, 1e-6);
  EXPECT_NEAR(ours.gradient[1], 0.5, 1e-6);
}

// Section 2.1 of the paper: as T grows, the gradient tends to (z - v) / K for logits of mean zero.
TEST(Distillation, AtHighTemperatureItMatchesLogits) {
  const Tensor<Real> logits({1, 4}, {2, -1, -1, 0}), teacher({1, 4}, {-1, 3, -1, -1});
  const Result ours = result(logits, [&](const Variable& z) {
    return distillation(z, teacher, {0}, {.temperature = 1000, .teacher_share = 1});
  });
  for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(ours.gradient[i], (logits[i] - teacher[i]) / 4, 5e-3);
}

TEST(Distillation, HugeLogitsStayFinite) {
  const Result ours = result(Tensor<Real>({1, 2}, {1000, -1000}), [&](const Variable& z) {
    return distillation(z, Tensor<Real>({1, 2}, {-1000, 1000}), {1},
                        {.temperature = 1, .teacher_share = 0.5});
  });
  EXPECT_NEAR(ours.loss, 2000, 1e-2);
  EXPECT_NEAR(ours.gradient[0], 1, 1e-6);
}

TEST(Distillation, RefusesWhatDoesNotFit) {
  const Variable logits = Variable::constant(normal({2, 3}, 4));
  const Tensor<Real> teacher = normal({2, 3}, 5);
  expect_error(
      [&] {
        distillation(logits, normal({2, 4}, 5), {0, 1});
      },
      ErrorKind::kUsage, {"teacher", "[2,3]", "[2,4]"});
  for (const Real bad : {std::numeric_limits<Real>::quiet_NaN(), std::numeric_limits<Real>::infinity()}) {
    Tensor<Real> broken = teacher.clone();
    broken[4] = bad;
    expect_error([&] { distillation(logits, broken, {0, 1}); }, ErrorKind::kNumeric, {"teacher", "at 4"});
  }
  expect_error([&] { distillation(logits, teacher, {0}); }, ErrorKind::kUsage, {"distillation", "labels"});
  expect_error([&] { distillation(logits, teacher, {0, 3}); }, ErrorKind::kData, {"label"});
  expect_error(
      [&] {
        distillation(logits, teacher, {0, 1}, {.temperature = 0});
      },
      ErrorKind::kUsage, {"temperature", "above 0"});
  expect_error(
      [&] {
        distillation(logits, teacher, {0, 1}, {.teacher_share = 1.5});
      },
      ErrorKind::kUsage, {"share", "0 to 1"});
}

}  // namespace
}  // namespace qlimit
