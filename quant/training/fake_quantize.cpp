#include "quant/training/fake_quantize.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/staircase.h"
#include "quant/activation.h"
#include "quant/channel_view.h"

namespace qlimit {
namespace {

Staircase staircase_of(const AffineParams& params, Activation activation) {
  const Bounds bounds = bounds_of(activation);
  return {.scale = params.scale,
          .low = static_cast<float>(params.low() - params.zero_point),
          .high = static_cast<float>(params.high() - params.zero_point),
          .clamp_low = bounds.low,
          .clamp_high = bounds.high};
}

Tensor<Real> on_grid(const Tensor<Real>& x, const Staircase& grid) {
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  // Its product of 24 and 9 bits is rounded once: the same as dequantize.
  staircase(y.size(), grid, x.data(), y.data());
  return y;
}

void add_straight_through(const Variable& x, const Staircase& grid, const Tensor<Real>& upstream) {
  if (!x.wants_grad()) return;
  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
  staircase_backward(dx.size(), grid, x.value().data(), upstream.data(), dx.data());
  x.add_grad(dx);
}

/// Calls body(channel, element) for every element of a weight tensor, in order.
template <typename Body>
void for_each_element(const ChannelView& view, const Body& body) {
  const int64_t size = view.outer * view.channels * view.inner;
  for (int64_t i = 0, channel = 0; i < size; channel = channel + 1 == view.channels ? 0 : channel + 1) {
    for (const int64_t end = i + view.inner; i < end; ++i) body(channel, i);
  }
}

/// A layer's integers, and how to read them as real numbers.
class Integers {
 public:
  Integers(QuantizedFilter filter, const Shape& shape, int axis)
      : filter_(std::move(filter)), view_(shape, axis), top_(static_cast<float>(weight_max(filter_.bits))) {}

  Tensor<Real> weight() const {
    Tensor<Real> real = Tensor<Real>::uninitialized(filter_.weight.shape());
    for_each_element(view_, [&](int64_t c, int64_t i) {
      real[i] = filter_.scale(c) * static_cast<float>(filter_.weight[i]);
    });
    return real;
  }
  Tensor<Real> bias(float input_scale) const {
    Tensor<Real> real = Tensor<Real>::uninitialized({view_.channels});
    for (int64_t c = 0; c < view_.channels; ++c) {
      const double unit = static_cast<double>(input_scale) * filter_.scale(c);
      real[c] = static_cast<Real>(unit * filter_.bias[static_cast<size_t>(c)]);
    }
    return real;
  }

  /// Straight through, but for weights that are cut off.
  void add_weight_gradient(const Variable& weight, const Tensor<Real>& upstream) const {
    if (!weight.wants_grad()) return;
    Tensor<Real> gradient = Tensor<Real>::uninitialized(weight.shape());
    const Tensor<Real>& w = weight.value();
    for_each_element(view_, [&](int64_t c, int64_t i) {
      gradient[i] = is_on_grid(w[i] / filter_.scale(c)) ? upstream[i] : 0;
    });
    weight.add_grad(gradient);
  }

  void add_step_gradient(const Variable& steps, const Tensor<Real>& weight,
                         const Tensor<Real>& upstream) const {
    if (!steps.wants_grad()) return;
    std::vector<double> sums(filter_.scales.size());
    for_each_element(view_, [&](int64_t c, int64_t i) {
      const float position = weight[i] / filter_.scale(c);
      const float derivative =
          static_cast<float>(filter_.weight[i]) - (is_on_grid(position) ? position : 0.0f);
      sums[filter_.scale_index(c)] += static_cast<double>(upstream[i]) * derivative;
    });
    const double elements = static_cast<double>(weight.size()) / static_cast<double>(sums.size());
    Tensor<Real> gradient = Tensor<Real>::uninitialized(steps.shape());
    for (int64_t s = 0; s < gradient.size(); ++s) {
      gradient[s] = static_cast<Real>(sums[static_cast<size_t>(s)] / std::sqrt(elements * top_));
    }
    steps.add_grad(gradient);
  }

 private:
  bool is_on_grid(float position) const { return std::abs(position) < top_ + 0.5f; }

  QuantizedFilter filter_;
  ChannelView view_;
  float top_;
};

FakeFilter fake_filter(const Variable& weight, const Variable& bias, int axis, const Variable& steps,
                       const std::vector<float>& half_ranges, float input_scale, int bits) {
  const Tensor<Real> no_bias;
  const Integers integers(
      quantize_filter(weight.value(), bias ? bias.value() : no_bias, axis, half_ranges, input_scale, bits),
      weight.shape(), axis);
  FakeFilter fake;
  fake.weight = record(integers.weight(), {.name = "fake_quantize_filter"}, {weight, steps},
                       [=](const Tensor<Real>& upstream) {
                         integers.add_weight_gradient(weight, upstream);
                         if (steps) integers.add_step_gradient(steps, weight.value(), upstream);
                       });
  if (!bias) return fake;
  fake.bias = record(integers.bias(input_scale), {.name = "fake_quantize_bias"}, {bias},
                     [bias](const Tensor<Real>& upstream) { bias.add_grad(upstream); });
  return fake;
}

}  // namespace

Variable fake_quantize(const Variable& x, const AffineParams& params, Activation activation) {
  const Staircase grid = staircase_of(params, activation);
  return record(on_grid(x.value(), grid), {.name = "fake_quantize"}, {x},
                [=](const Tensor<Real>& upstream) { add_straight_through(x, grid, upstream); });
}

Variable fake_quantize_learned(const Variable& x, const Variable& step, int32_t zero_point, int bits,
                               Activation activation) {
  check_bits(bits, "fake_quantize_learned");
  const Staircase grid =
      staircase_of({.scale = step.value()[0], .zero_point = zero_point, .bits = bits}, activation);
  return record(on_grid(x.value(), grid), {.name = "fake_quantize_learned"}, {x, step},
                [=](const Tensor<Real>& upstream) {
                  add_straight_through(x, grid, upstream);
                  if (!step.wants_grad()) return;
                  const double elements =
                      static_cast<double>(x.shape().size()) / static_cast<double>(x.shape()[0]);
                  const double sum =
                      staircase_scale_gradient(x.value().size(), grid, x.value().data(), upstream.data());
                  const double gradient = sum / std::sqrt(elements * std::max<double>(grid.high, 1));
                  step.add_grad(Tensor<Real>::full(step.shape(), static_cast<Real>(gradient)));
                });
}

FakeFilter fake_quantize_filter(const Variable& weight, const Variable& bias, int axis,
                                const std::vector<float>& half_ranges, float input_scale, int bits) {
  return fake_filter(weight, bias, axis, {}, half_ranges, input_scale, bits);
}

FakeFilter fake_quantize_filter_learned(const Variable& weight, const Variable& bias, int axis,
                                        const Variable& steps, float input_scale, int bits) {
  return fake_filter(weight, bias, axis, steps, half_ranges_of(steps.value(), bits), input_scale, bits);
}

std::vector<float> half_ranges_of(const Tensor<float>& steps, int bits) {
  std::vector<float> half_ranges(steps.begin(), steps.end());
  for (float& half : half_ranges) half *= static_cast<float>(weight_max(bits));
  return half_ranges;
}

}  // namespace qlimit
