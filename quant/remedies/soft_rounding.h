// Rounding as a number between 0 (down) and 1 (up), so that it can be learned.
//
// A weight w on a grid of step s lies between two of its numbers. A variable v for each weight says where
// (Nagel et al., "Up or down? Adaptive rounding for post-training quantization", ICML 2020, equations 22 and
// 23):
//
//   w~ = s * clip(floor(w / s) + h(v), -top, top)          h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1)
//
// The sigmoid is stretched a little beyond 0 and 1, so that h arrives there and not only approaches them.
// What drives it there is a penalty for everything in between (equation 24): 1 - |2h - 1|^beta, for great
// beta almost 1 everywhere but at the ends, so that a weight is free to cross the middle; for beta = 2 a
// parabola that pushes it to the nearer end.
#pragma once

#include <cstdint>

#include "core/variable.h"
#include "quant/affine.h"

namespace qlimit {

/// h(v), any shape.
Variable rectified_sigmoid(const Variable& v);

/// The v with h(v) = share, for a share from 0 to 1.
double inverse_rectified_sigmoid(double share);

/// weight * sum of 1 - |2h - 1|^beta, a scalar. h: any shape, from 0 to 1; beta: 1 or more.
Variable indecision(const Variable& h, double beta, double weight);

/// The weights of one layer between the numbers of their grid.
class SoftRounding {
 public:
  /// weight: the real weights, in any layout with output channels along `axis`; filter: their grid. Each v
  /// begins where its weight lies, so that the soft weights are the real ones, clipped to the grid.
  SoftRounding(const Tensor<float>& weight, const QuantizedFilter& filter, int axis);

  /// What is learned, in the shape of the weight.
  const Variable& v() const { return v_; }
  /// The soft weights w~ as real numbers. h: rectified_sigmoid(v()).
  Variable weight(const Variable& h) const;
  /// The integers with every h rounded, a half upwards.
  Tensor<int8_t> rounded() const;

 private:
  Variable v_;
  Tensor<float> below_;  // floor(w / s)
  Tensor<float> step_;   // s, for each weight
  float top_;
};

}  // namespace qlimit
