#include "layers/flatten.h"

#include "layers/require.h"

namespace qlimit {

Variable flatten(const Variable& x) {
  const Shape& shape = x.shape();
  require_shape(shape.rank() >= 1 && shape.size() > 0, "flatten", "[N,...]", shape);
  const int64_t batch = shape[0];
  return record(x.value().reshape({batch, shape.size() / batch}), {.name = "flatten"}, {x},
                [x](const Tensor<Real>& upstream) { x.add_grad(upstream.reshape(x.shape())); });
}

}  // namespace qlimit
