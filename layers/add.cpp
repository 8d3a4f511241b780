#include "layers/add.h"

#include "core/parallel.h"
#include "layers/require.h"

namespace qlimit {

Variable add(const Variable& a, const Variable& b) {
  require_shape(a.shape() == b.shape(), "add", concat("two equal ones, ", a.shape().to_string()), b.shape());
  auto sum = Tensor<Real>::uninitialized(a.shape());
  const Real* left = a.value().data();
  const Real* right = b.value().data();
  Real* out = sum.data();
  parallel_for(sum.size(), kElementGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = left[i] + right[i];
  });
  return record(std::move(sum), {.name = "add"}, {a, b}, [a, b](const Tensor<Real>& upstream) {
    if (a.wants_grad()) a.add_grad(upstream);
    if (b.wants_grad()) b.add_grad(upstream);
  });
}

}  // namespace qlimit
