#include "quant/remedies/soft_rounding.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "layers/pointwise.h"
#include "quant/remedies/layer_constants.h"

namespace qlimit {
namespace {

constexpr double kLow = -0.1, kHigh = 1.1;  // how far the sigmoid is stretched

double stretched_sigmoid(double v) { return (kHigh - kLow) / (1 + std::exp(-v)) + kLow; }

double h_at(double v) { return std::clamp(stretched_sigmoid(v), 0.0, 1.0); }

double h_slope(double v) {
  const double stretched = stretched_sigmoid(v);
  if (stretched < 0 || stretched > 1) return 0;
  return (stretched - kLow) * (kHigh - stretched) / (kHigh - kLow);
}

/// The step of each weight.
Tensor<float> steps_of(QuantizedFilter filter, int axis) {
  filter.weight = Tensor<int8_t>::full(filter.weight.shape(), 1);  // a weight of 1 is one step
  const std::vector<double> steps = dequantized_weight(filter, axis);
  return Tensor<float>(filter.weight.shape(), std::vector<float>(steps.begin(), steps.end()));
}

}  // namespace

Variable rectified_sigmoid(const Variable& v) {
  return pointwise(v, "rectified_sigmoid", {.function = h_at, .derivative = h_slope});
}

double inverse_rectified_sigmoid(double share) { return std::log((share - kLow) / (kHigh - share)); }

Variable indecision(const Variable& h, double beta, double weight) {
  const Tensor<Real>& at = h.value();
  std::vector<double> sums(static_cast<size_t>(chunk_count(at.size(), kElementGrain)));
  parallel_chunks(at.size(), kElementGrain, [&](int64_t chunk, int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += 1 - std::pow(std::abs(2.0 * at[i] - 1), beta);
    sums[static_cast<size_t>(chunk)] = sum;
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return record(Tensor<Real>::full({}, static_cast<Real>(weight * total)), {.name = "indecision"}, {h},
                [h, beta, weight](const Tensor<Real>& upstream) {
                  const Tensor<Real>& from = h.value();
                  auto grad = Tensor<Real>::uninitialized(from.shape());
                  parallel_for(grad.size(), kElementGrain, [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                      const double side = 2.0 * from[i] - 1;
                      const double slope =
                          -2 * beta * std::copysign(std::pow(std::abs(side), beta - 1), side);
                      grad[i] = static_cast<Real>(upstream[0] * weight * slope);
                    }
                  });
                  h.add_grad(grad);
                });
}

SoftRounding::SoftRounding(const Tensor<float>& weight, const QuantizedFilter& filter, int axis)
    : below_(Tensor<float>::uninitialized(weight.shape())),
      step_(steps_of(filter, axis)),
      top_(static_cast<float>(weight_max(filter.bits))) {
  auto v = Tensor<Real>::uninitialized(weight.shape());
  for (int64_t i = 0; i < v.size(); ++i) {
    const double position = static_cast<double>(weight[i]) / step_[i];
    below_[i] = static_cast<float>(std::floor(position));
    v[i] = static_cast<Real>(inverse_rectified_sigmoid(position - std::floor(position)));
  }
  v_ = Variable::parameter(std::move(v));
}

Variable SoftRounding::weight(const Variable& h) const {
  const float top = top_;
  const Tensor<float>&below = below_, &step = step_;
  auto soft = Tensor<Real>::uninitialized(h.shape());
  for (int64_t i = 0; i < soft.size(); ++i)
    soft[i] = step[i] * std::clamp(below[i] + h.value()[i], -top, top);
  return record(std::move(soft), {.name = "soft_weight"}, {h},
                [h, below, step, top](const Tensor<Real>& upstream) {
                  auto grad = Tensor<Real>::uninitialized(h.shape());
                  for (int64_t i = 0; i < grad.size(); ++i) {
                    const bool on_grid = below[i] >= -top && below[i] < top;
                    grad[i] = on_grid ? step[i] * upstream[i] : 0;
                  }
                  h.add_grad(grad);
                });
}

Tensor<int8_t> SoftRounding::rounded() const {
  auto integers = Tensor<int8_t>::uninitialized(below_.shape());
  for (int64_t i = 0; i < integers.size(); ++i) {
    const float up = h_at(v_.value()[i]) >= 0.5 ? 1.0f : 0.0f;
    integers[i] = static_cast<int8_t>(std::clamp(below_[i] + up, -top_, top_));
  }
  return integers;
}

}  // namespace qlimit
