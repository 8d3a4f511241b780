#include "quant/training/trained_filter.h"

#include <algorithm>
#include <cmath>

#include "layers/pointwise.h"
#include "quant/training/tape_operations.h"

namespace qlimit {

FoldedWeights TrainedFilter::folded(const Variable& moments) const {
  if (!has_norm()) return {weight, bias};
  return fold_into_weights(weight, channel_axis(op),
                           {.gamma = gamma, .beta = beta, .moments = moments, .epsilon = epsilon});
}

Variable TrainedFilter::running_moments() const {
  return has_norm() ? given_moments(running_mean, running_variance) : Variable();
}

Variable TrainedFilter::follow_batch(const Variable& x, double momentum) {
  if (!has_norm()) return {};
  const Variable y = compute_on_tape({.op = op, .inputs = {}}, {x}, {weight, {}});
  const Variable moments = batch_moments(y);
  const int64_t channels = running_mean.size(), rows = y.shape().size() / channels;
  // The unbiased variance, as BatchNorm2D keeps it.
  const double unbiased = rows > 1 ? static_cast<double>(rows) / static_cast<double>(rows - 1) : 1.0;
  for (int64_t c = 0; c < channels; ++c) {
    const double mean = moments.value()[c], variance = unbiased * moments.value()[channels + c];
    running_mean[c] = static_cast<Real>((1 - momentum) * running_mean[c] + momentum * mean);
    running_variance[c] = static_cast<Real>((1 - momentum) * running_variance[c] + momentum * variance);
  }
  return moments;
}

FakeFilter TrainedFilter::on_grid(const FoldedWeights& folded, float input_scale) const {
  const int axis = channel_axis(op);
  if (log_steps) {
    return fake_quantize_filter_learned(folded.weight, folded.bias, axis, step_of(log_steps), input_scale,
                                        bits);
  }
  return fake_quantize_filter(folded.weight, folded.bias, axis, half_ranges(folded.weight.value()),
                              input_scale, bits);
}

std::vector<float> TrainedFilter::half_ranges(const Tensor<float>& folded_weight) const {
  if (log_steps) return half_ranges_of(step_of(log_steps).value(), bits);
  return weight_half_ranges(folded_weight, channel_axis(op), granularity);
}

Variable step_of(const Variable& log_step) {
  constexpr auto exponential = [](double x) { return std::exp(x); };
  return pointwise(log_step, "exp", {.function = exponential, .derivative = exponential});
}

Tensor<Real> log_of_steps(const std::vector<float>& steps) {
  constexpr float kLeast = 1e-6f;
  Tensor<Real> logarithms({static_cast<int64_t>(steps.size())}, steps);
  for (Real& step : logarithms) step = std::log(std::max(step, kLeast));
  return logarithms;
}

}  // namespace qlimit
