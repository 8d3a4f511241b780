#include "layers/softmax.h"

#include <algorithm>
#include <cmath>

#include "layers/require.h"

namespace qlimit {

Variable softmax(const Variable& logits) {
  const Shape shape = logits.shape();
  require_shape(shape.rank() >= 1 && shape.size() > 0, "softmax", "[...,K]", shape);
  const int64_t classes = shape[-1];

  auto y = Tensor<Real>::uninitialized(shape);
  for (int64_t row = 0; row < shape.size(); row += classes) {
    const Real* z = logits.value().data() + row;
    const double largest = *std::max_element(z, z + classes);
    double sum = 0;
    for (int64_t k = 0; k < classes; ++k) sum += std::exp(z[k] - largest);
    for (int64_t k = 0; k < classes; ++k) y[row + k] = static_cast<Real>(std::exp(z[k] - largest) / sum);
  }

  return record(y, {.name = "softmax"}, {logits}, [=](const Tensor<Real>& upstream) {
    auto grad = Tensor<Real>::uninitialized(shape);
    for (int64_t row = 0; row < shape.size(); row += classes) {
      double dot = 0;
      for (int64_t k = row; k < row + classes; ++k) dot += double{upstream[k]} * y[k];
      for (int64_t k = row; k < row + classes; ++k) grad[k] = static_cast<Real>(y[k] * (upstream[k] - dot));
    }
    logits.add_grad(grad);
  });
}

}  // namespace qlimit
