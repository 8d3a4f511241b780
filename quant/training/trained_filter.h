// The weights of one layer while they are trained with quantization.
//
// What is on the grid are the folded weights, since those are what runs (Jacob et al. 2018, section 3.2):
//
//   filter.on_grid(filter.folded(filter.running_moments()), input_scale)      // frozen statistics
//   filter.on_grid(filter.folded(filter.follow_batch(x, 0.1)), input_scale)   // those of the batch
//
// The second costs one more convolution, which finds out what the statistics are.
#pragma once

#include <vector>

#include "layers/folded_batch_norm.h"
#include "quant/graph.h"
#include "quant/training/fake_quantize.h"

namespace qlimit {

/// The variables are the model's own (quant/training/fake_quantized_model.h).
struct TrainedFilter {
  Op op = {};
  int bits = kMostBits;
  Granularity granularity = Granularity::kPerChannel;
  Variable weight = {};
  Variable bias = {};              // empty if there is none, or a batch norm
  Variable gamma = {}, beta = {};  // empty without batch norm
  Tensor<Real> running_mean = {}, running_variance = {};
  double epsilon = 0;
  Variable log_steps = {};  // logarithms of learned steps, one or one for each channel; empty: by max |w|

  bool has_norm() const { return static_cast<bool>(gamma); }

  /// The weights that the layer has once its batch norm is folded by these moments; without batch norm its
  /// own.
  FoldedWeights folded(const Variable& moments) const;
  /// [2,C]; empty without batch norm.
  Variable running_moments() const;
  /// The moments of what the layer makes of x, which the running ones follow: the share `momentum` is new.
  Variable follow_batch(const Variable& x, double momentum);

  FakeFilter on_grid(const FoldedWeights& folded, float input_scale) const;
  /// Those of the grid that `on_grid` takes.
  std::vector<float> half_ranges(const Tensor<float>& folded_weight) const;
};

/// exp(log_step): what is learned, so that a step stays above 0 and an optimizer moves it by a share of
/// itself.
Variable step_of(const Variable& log_step);
/// The logarithm of each step; those below 1e-6 count as 1e-6, so that weights that are always 0 have one.
Tensor<Real> log_of_steps(const std::vector<float>& steps);

}  // namespace qlimit
