// The checker of gradients, checked: right ones pass, and each planted mistake is caught.

#include "tests/layers/gradient_check.h"

#include <cmath>
#include <limits>

namespace qlimit {
namespace {

using testing::AssertionResult;

// y = x^3, with the backward step given by the test: it maps (x, upstream) to what is added to x's gradient.
template <typename Step>
CheckedFunction cube_with(Step step) {
  return [step](const std::vector<Variable>& in) {
    const Variable x = in[0];
    Tensor<Real> y = x.value().clone();
    for (Real& value : y) value = value * value * value;
    return record(std::move(y), {.name = "cube"}, {x},
                  [x, step](const Tensor<Real>& upstream) { step(x, upstream); });
  };
}

Tensor<Real> right_gradient(const Variable& x, const Tensor<Real>& upstream) {
  auto grad = Tensor<Real>::uninitialized(x.shape());
  for (int64_t i = 0; i < grad.size(); ++i) grad[i] = 3 * x.value()[i] * x.value()[i] * upstream[i];
  return grad;
}

AssertionResult check_cube(const std::function<void(Variable, const Tensor<Real>&)>& step,
                           const Shape& shape = {4, 4}) {
  Random rng(1, "gradient check");
  return gradients_agree(cube_with(step), {random_tensor(shape, rng)}, rng);
}

// c[i,j] = sum_k a[i,k] * b[k,j], for square matrices; `transposed` plants the classical mistake in da.
CheckedFunction matrix_product(bool transposed) {
  return [transposed](const std::vector<Variable>& in) {
    const Variable a = in[0], b = in[1];
    const int64_t size = a.shape()[0];
    Tensor<Real> c(a.shape());
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j)
        for (int64_t k = 0; k < size; ++k) c(i, j) += a.value()(i, k) * b.value()(k, j);
    return record(std::move(c), {.name = "product"}, {a, b}, [=](const Tensor<Real>& g) {
      Tensor<Real> da(a.shape()), db(b.shape());
      for (int64_t i = 0; i < size; ++i)
        for (int64_t j = 0; j < size; ++j)
          for (int64_t k = 0; k < size; ++k) {
            da(i, k) += g(i, j) * (transposed ? b.value()(j, k) : b.value()(k, j));
            db(k, j) += a.value()(i, k) * g(i, j);
          }
      if (a.wants_grad()) a.add_grad(da);
      if (b.wants_grad()) b.add_grad(db);
    });
  };
}

AssertionResult check_product(const CheckedFunction& product) {
  Random rng(2, "gradient check");
  return gradients_agree(product, {random_tensor({3, 3}, rng), random_tensor({3, 3}, rng)}, rng);
}

TEST(GradientCheck, PassesRightGradients) {
  EXPECT_TRUE(check_cube([](Variable x, const Tensor<Real>& g) { x.add_grad(right_gradient(x, g)); }));
  EXPECT_TRUE(check_product(matrix_product(false)));
}

TEST(GradientCheck, PassesAGradientThatComesInPieces) {
  EXPECT_TRUE(check_cube([](Variable x, const Tensor<Real>& g) {
    Tensor<Real> third = right_gradient(x, g);
    for (Real& value : third) value /= 3;
    for (int i = 0; i < 3; ++i) x.add_grad(third);
  }));
}

TEST(GradientCheck, CatchesAGradientTwiceTooLarge) {
  const AssertionResult result = check_cube([](Variable x, const Tensor<Real>& g) {
    x.add_grad(right_gradient(x, g));
    x.add_grad(right_gradient(x, g));
  });
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("relative error 0."), std::string::npos) << result.message();
}

TEST(GradientCheck, CatchesATransposedMatrix) { EXPECT_FALSE(check_product(matrix_product(true))); }

TEST(GradientCheck, CatchesOneWrongElementAndNamesIt) {
  const AssertionResult result = check_cube([](Variable x, const Tensor<Real>& g) {
    Tensor<Real> grad = right_gradient(x, g);
    grad(2, 1) += 1e-5;
    x.add_grad(grad);
  });
  EXPECT_FALSE(result);
  const std::string message = result.message();
  for (const char* part : {"input 0 of shape [4,4]", "element (2,1)", "backward says", "central difference"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(GradientCheck, CatchesAnErrorJustAboveTheTolerance) {
  EXPECT_FALSE(check_cube([](Variable x, const Tensor<Real>& g) {
    Tensor<Real> grad = right_gradient(x, g);
    for (Real& value : grad) value *= 1 + 2e-6;
    x.add_grad(grad);
  }));
}

TEST(GradientCheck, CatchesAGradientThatReplacesInsteadOfAdding) {
  const AssertionResult result = check_cube([](Variable x, const Tensor<Real>& g) {
    x.clear_grad();
    x.add_grad(right_gradient(x, g));
  });
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("not added to"), std::string::npos) << result.message();
}

// Output j is the sum of elements j and j+1: element j+1 is reached twice, and both shares must be summed.
TEST(GradientCheck, CatchesAShareThatIsAssignedInsteadOfAdded) {
  const auto pair_sums = [](bool adds) {
    return [adds](const std::vector<Variable>& in) {
      const Variable x = in[0];
      Tensor<Real> y({x.shape()[0] - 1});
      for (int64_t j = 0; j < y.size(); ++j) y[j] = x.value()[j] + x.value()[j + 1];
      return record(std::move(y), {.name = "pair_sums"}, {x}, [x, adds](const Tensor<Real>& g) {
        Tensor<Real> grad(x.shape());
        for (int64_t j = 0; j < g.size(); ++j) {
          for (int64_t i : {j, j + 1}) grad[i] = g[j] + (adds ? grad[i] : 0);
        }
        x.add_grad(grad);
      });
    };
  };
  Random rng(3, "gradient check");
  const Tensor<Real> x = random_tensor({6}, rng);
  EXPECT_TRUE(gradients_agree(pair_sums(true), {x}, rng));
  EXPECT_FALSE(gradients_agree(pair_sums(false), {x}, rng));
}

TEST(GradientCheck, CatchesAMissingGradient) {
  const AssertionResult result = check_cube([](Variable, const Tensor<Real>&) {});
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("no gradient"), std::string::npos) << result.message();
}

TEST(GradientCheck, CatchesNotANumber) {
  EXPECT_FALSE(check_cube([](Variable x, const Tensor<Real>& g) {
    Tensor<Real> grad = right_gradient(x, g);
    grad[5] = std::numeric_limits<Real>::quiet_NaN();
    x.add_grad(grad);
  }));
}

TEST(GradientCheck, CatchesAWriteIntoTheUpstreamGradient) {
  const AssertionResult result = check_cube([](Variable x, const Tensor<Real>& g) {
    x.add_grad(right_gradient(x, g));
    Tensor<Real>(g).fill(0);
  });
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("upstream"), std::string::npos) << result.message();
}

TEST(GradientCheck, CatchesAGradientForAConstant) {
  const auto eager_product = [](const std::vector<Variable>& in) {
    const Variable a = in[0], b = in[1];
    return record(Tensor<Real>({1}, {a.value()[0] * b.value()[0]}), {.name = "eager"}, {a, b},
                  [a, b](const Tensor<Real>& g) {
                    a.add_grad(Tensor<Real>({1}, {g[0] * b.value()[0]}));
                    b.add_grad(Tensor<Real>({1}, {g[0] * a.value()[0]}));
                  });
  };
  Random rng(4, "gradient check");
  const AssertionResult result =
      gradients_agree(eager_product, {random_tensor({1}, rng), random_tensor({1}, rng)}, rng);
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("constant"), std::string::npos) << result.message();
}

// Of more elements than are checked, those checked are spread from the first to near the last.
TEST(GradientCheck, LooksAtAllPartsOfALargeInput) {
  for (const int64_t wrong_from : {int64_t{0}, int64_t{4000}, int64_t{7900}}) {
    EXPECT_FALSE(check_cube(
        [wrong_from](Variable x, const Tensor<Real>& g) {
          Tensor<Real> grad = right_gradient(x, g);
          for (int64_t i = wrong_from; i < wrong_from + 100; ++i) grad[i] += 1;
          x.add_grad(grad);
        },
        {8000}));
  }
}

TEST(GradientCheck, KeepAwayMovesToTheNearSide) {
  const Tensor<Real> moved = keep_away(Tensor<Real>({4}, {-0.001, 0.0, 0.004, 0.5}), 0, 0.01);
  EXPECT_EQ(std::vector<Real>(moved.begin(), moved.end()), (std::vector<Real>{-0.01, 0.01, 0.01, 0.5}));
}

TEST(GradientCheck, SpreadOutValuesAreDistinctAndInside) {
  Random rng(5, "gradient check");
  Tensor<Real> values = spread_out({4, 25}, rng);
  std::sort(values.begin(), values.end());
  for (int64_t i = 0; i < 100; ++i) EXPECT_NEAR(values[i], -0.99 + 0.02 * static_cast<double>(i), 1e-12);
}

}  // namespace
}  // namespace qlimit
