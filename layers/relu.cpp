#include "layers/relu.h"

#include <limits>

#include "core/kernels/elementwise.h"

namespace qlimit {
namespace {

// y = min(max(x, 0), high), and dx = upstream where 0 < y < high, else 0. The backward step reads y instead of
// x: it tells as much, and the next operation keeps it in any case.
Variable clamp_from_zero(const Variable& x, const char* name, Real high) {
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  clamp(y.size(), 0, high, x.value().data(), y.data());
  return record(y, {.name = name}, {x}, [x, y, high](const Tensor<Real>& upstream) {
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    clamp_backward(dx.size(), 0, high, y.data(), upstream.data(), dx.data());
    x.add_grad(dx);
  });
}

}  // namespace

Variable relu(const Variable& x) { return clamp_from_zero(x, "relu", std::numeric_limits<Real>::infinity()); }

Variable relu6(const Variable& x) { return clamp_from_zero(x, "relu6", 6); }

}  // namespace qlimit
