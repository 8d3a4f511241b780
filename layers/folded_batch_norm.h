// Batch norm folded into the weights before it, on the tape: one layer computes what two did, and gradients
// reach everything that the two had (Jacob et al. 2018, section 3.2, equation 14, and figure C.8). Training
// with quantization needs it, since the folded weights are those that will be integers:
//
//   Variable moments = batch_moments(conv2d(x, weight, {}, window));       // of the batch, or running ones
//   FoldedWeights folded = fold_into_weights(weight, 0, {gamma, beta, moments, epsilon});
//   Variable y = conv2d(x, folded.weight, folded.bias, window);
//
// For output channel c, with g_c = gamma_c / sqrt(variance_c + epsilon):
//
//   W'[c] = g_c * W[c]        b'_c = beta_c - g_c * mean_c
//
// A layer's own bias has no place here: it moves the mean by as much, and is gone.
#pragma once

#include "core/variable.h"

namespace qlimit {

/// Mean and biased variance of each channel of x [N,...,C], as one value [2,C]: means first.
///   dL/dx = (dL/dmean + 2 * (x - mean) * dL/dvariance) / rows
Variable batch_moments(const Variable& x);

/// The same of given numbers, [C] each: a constant of the tape.
Variable given_moments(const Tensor<Real>& mean, const Tensor<Real>& variance);

/// What a batch norm does with its input.
struct FoldableNorm {
  Variable gamma, beta;  // [C]
  Variable moments;      // [2,C]: means, then variances of the layer before, computed without its bias
  double epsilon = 1e-5;
};

struct FoldedWeights {
  Variable weight;  // like the layer's
  Variable bias;    // [C]
};

/// Folds a batch norm into a weight whose axis `axis` are the C output channels: 0 for convolutions
/// [O,KH,KW,C] and dense layers [O,I], 3 for depthwise ones. Computed in double, rounded once. Throws kUsage
/// for shapes that do not fit, kNumeric if a variance plus epsilon is not positive.
FoldedWeights fold_into_weights(const Variable& weight, int axis, const FoldableNorm& norm);

}  // namespace qlimit
