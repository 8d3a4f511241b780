// Random integer models for tests of the integer kernels: numbers and zero points at both ends, multipliers
// near powers of two, exact ties. And what becomes of an accumulator, as the specification words it.
#pragma once

#include <cmath>
#include <initializer_list>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "quant/fixed_point.h"
#include "tests/quant/wide_integers.h"

namespace qlimit {

using Numbers = std::vector<int8_t>;

inline int64_t between(Random& random, int64_t low, int64_t high) {
  return low + random.below(static_cast<uint32_t>(high - low + 1));
}

template <typename T>
T one_of(Random& random, std::initializer_list<T> choices) {
  return choices.begin()[random.below(static_cast<uint32_t>(choices.size()))];
}

// Ends, middles and anything; within [low, 127].
inline int8_t random_number(Random& random, int64_t low) {
  switch (random.below(4)) {
    case 0:
      return static_cast<int8_t>(one_of<int64_t>(random, {low, 127}));
    case 1:
      return static_cast<int8_t>(between(random, -1, 1));
    default:
      return static_cast<int8_t>(between(random, low, 127));
  }
}

inline Tensor<int8_t> random_tensor(Random& random, const Shape& shape, int64_t low) {
  Tensor<int8_t> tensor(shape);
  for (int8_t& number : tensor) number = random_number(random, low);
  return tensor;
}

inline AffineParams random_params(Random& random) {
  const float scale = static_cast<float>(std::ldexp(one_of(random, {1.0, 1.25, 1.5, random.uniform(1, 2)}),
                                                    static_cast<int>(between(random, -8, 2))));
  return {.scale = scale,
          .zero_point =
              static_cast<int32_t>(one_of<int64_t>(random, {-128, 127, 0, between(random, -128, 127)}))};
}

// An output whose multiplier `accumulator_scale / scale` is 2^-k exactly, just beside 2^-k, or anything.
inline OutputStage random_output(Random& random, double accumulator_scale) {
  const double multiplier = std::ldexp(one_of(random, {1.0, 1 + 1e-6, 1 - 1e-6, random.uniform(0.5, 1)}),
                                       -static_cast<int>(between(random, 0, 12)));
  return {.params = {.scale = static_cast<float>(accumulator_scale / multiplier),
                     .zero_point = random_params(random).zero_point},
          .activation = one_of(
              random, {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kReluN1To1}),
          .rounding = one_of(random, {Rounding::kDouble, Rounding::kSingle})};
}

// clamp(x * real + zero_point), straight from the specification.
inline int8_t finish(wide::Integer x, double real, const OutputStage& output) {
  const auto bound = [&](double f) {
    return static_cast<int64_t>(std::round(static_cast<float>(f) / output.params.scale)) +
           output.params.zero_point;
  };
  int64_t low = -128, high = 127;
  if (output.activation == Activation::kRelu || output.activation == Activation::kRelu6) low = bound(0);
  if (output.activation == Activation::kRelu6) high = std::min<int64_t>(127, bound(6));
  if (output.activation == Activation::kReluN1To1) {
    low = std::max<int64_t>(-128, bound(-1));
    high = std::min<int64_t>(127, bound(1));
  }
  const wide::Integer y = wide::multiply(x, quantize_multiplier(real, output.rounding), output.rounding) +
                          output.params.zero_point;
  return static_cast<int8_t>(y < low ? low : y > high ? high : static_cast<int64_t>(y));
}

inline Numbers to_numbers(const Tensor<int8_t>& tensor) { return {tensor.begin(), tensor.end()}; }

}  // namespace qlimit
