// Gradients against central differences: is the backward step of an operation the derivative of its forward?
//
//   TEST(Square, Gradient) {
//     Random rng(1, "square");
//     EXPECT_TRUE(gradients_agree([](const auto& in) { return square(in[0]); },
//                                 {random_tensor({3, 4}, rng)}, rng));
//   }
//
// For a random upstream gradient u (drawn once, of the output's shape) the checked function is the scalar
// L(inputs) = sum_j u[j] * f(inputs)[j]. Each element x of each input is moved by h to both sides:
//
//   numeric = sum_j u[j] * (f(x+h)[j] - f(x-h)[j]) / ((x+h) - (x-h))         h = 1e-5
//   error   = |backward - numeric| / max(|backward|, |numeric|, 1e-3)        at most 1e-6
//
// Why these numbers. In double the difference is off by h^2/6 * L''' (about 2e-11 for values and derivatives
// near 1) and by the rounding of f, about 1e-16/h = 1e-11 for each output that x reaches; so it is good to
// about 1e-9 when x reaches a hundred outputs. Gradients below 1e-3 are therefore measured absolutely, to
// 1e-9; all others relatively, to 1e-6. In float none of this works, hence the double build.
//
// Functions with kinks (ReLU, max pool) are checked on inputs that stay clear of them by more than h: see
// `keep_away` and `spread_out`.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/random.h"
#include "core/variable.h"

namespace qlimit {

/// The function under test. It must give the same output for the same inputs.
using CheckedFunction = std::function<Variable(const std::vector<Variable>& inputs)>;

struct GradientCheck {
  double step = 1e-5;
  double tolerance = 1e-6;
  double floor = 1e-3;              // gradients below this are measured absolutely
  int64_t elements_checked = 2000;  // of each input: all if it has no more, else so many spread over it
};

/// Checks, in this order, that
/// - each input's gradient agrees with central differences (the failure names the worst element),
/// - a gradient that had arrived before is added to, and neither the upstream gradient nor an input is
///   written to,
/// - with any one input constant it receives no gradient, and the others get the very same as before.
testing::AssertionResult gradients_agree(const CheckedFunction& function,
                                         const std::vector<Tensor<Real>>& inputs, Random& rng,
                                         const GradientCheck& check = {});

/// Uniform in [low,high).
Tensor<Real> random_tensor(const Shape& shape, Random& rng, double low = -1, double high = 1);

/// Moves elements that are within `margin` of `kink` to just outside, on their side of it.
Tensor<Real> keep_away(Tensor<Real> tensor, double kink, double margin = 1e-2);

/// A random order of equally spaced values in (-1,1), all distinct: for functions that pick the largest.
/// The spacing, 2/size, stays above twice the step for up to 100,000 elements.
Tensor<Real> spread_out(const Shape& shape, Random& rng);

}  // namespace qlimit
