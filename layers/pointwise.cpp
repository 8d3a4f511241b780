#include "layers/pointwise.h"

#include <cmath>

#include "core/parallel.h"

namespace qlimit {
namespace {

double sigmoid_at(double x) {
  const double e = std::exp(-std::abs(x));  // at most 1
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double sigmoid_slope(double x) { return sigmoid_at(x) * sigmoid_at(-x); }

double tanh_at(double x) { return std::tanh(x); }

double tanh_slope(double x) {
  const double y = std::tanh(x);
  return (1 - y) * (1 + y);
}

}  // namespace

Variable pointwise(const Variable& x, const std::string& name, const Pointwise& options) {
  auto y = Tensor<Real>::uninitialized(x.shape());
  parallel_for(y.size(), kElementGrain, [&](int64_t begin, int64_t end) {
    const Real* from = x.value().data();
    for (int64_t i = begin; i < end; ++i) y[i] = static_cast<Real>(options.function(from[i]));
  });
  return record(std::move(y), {.name = name, .options = options}, {x},
                [x, derivative = options.derivative](const Tensor<Real>& upstream) {
                  auto grad = Tensor<Real>::uninitialized(x.shape());
                  parallel_for(grad.size(), kElementGrain, [&](int64_t begin, int64_t end) {
                    const Real* at = x.value().data();
                    for (int64_t i = begin; i < end; ++i)
                      grad[i] = static_cast<Real>(upstream[i] * derivative(at[i]));
                  });
                  x.add_grad(grad);
                });
}

Variable sigmoid(const Variable& x) {
  return pointwise(x, "sigmoid", {.function = sigmoid_at, .derivative = sigmoid_slope});
}

Variable tanh(const Variable& x) {
  return pointwise(x, "tanh", {.function = tanh_at, .derivative = tanh_slope});
}

}  // namespace qlimit
