#include "layers/relu.h"

#include <limits>

#include "core/kernels/elementwise.h"

namespace qlimit {
namespace {

Variable clamp_above_zero(const Variable& x, const char* name, Real high) {
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  clamp(y.size(), 0, high, x.value().data(), y.data());
  const Tensor<Real> result = y;
  return record(std::move(y), {.name = name}, {x}, [x, result, high](const Tensor<Real>& upstream) {
    if (!x.wants_grad()) return;
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    clamp_backward(dx.size(), 0, high, result.data(), upstream.data(), dx.data());
    x.add_grad(dx);
  });
}

}  // namespace

Variable relu(const Variable& x) {
  return clamp_above_zero(x, "relu", std::numeric_limits<Real>::infinity());
}

Variable relu6(const Variable& x) { return clamp_above_zero(x, "relu6", 6); }

}  // namespace qlimit
