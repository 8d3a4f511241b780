#include "layers/global_average_pool.h"

#include "core/parallel.h"
#include "layers/require.h"

namespace qlimit {

Variable global_average_pool(const Variable& x) {
  const Shape shape = x.shape();
  require_shape(shape.rank() == 4 && shape.size() > 0, "global_average_pool", "[N,H,W,C]", shape);
  const int64_t batch = shape[0], pixels = shape[1] * shape[2], channels = shape[3];

  auto means = Tensor<Real>::uninitialized({batch, channels});
  parallel_for(batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      Tensor<double> sums({channels});
      double* sum = sums.data();
      const Real* image = x.value().data() + n * pixels * channels;
      for (int64_t p = 0; p < pixels; ++p) {
        for (int64_t c = 0; c < channels; ++c) sum[c] += image[p * channels + c];
      }
      Real* mean = means.data() + n * channels;
      for (int64_t c = 0; c < channels; ++c)
        mean[c] = static_cast<Real>(sum[c] / static_cast<double>(pixels));
    }
  });

  return record(std::move(means), {.name = "global_average_pool"}, {x}, [=](const Tensor<Real>& upstream) {
    auto grad = Tensor<Real>::uninitialized(shape);
    parallel_for(batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const Real* from = upstream.data() + n * channels;
        Real* to = grad.data() + n * pixels * channels;
        for (int64_t p = 0; p < pixels; ++p) {
          for (int64_t c = 0; c < channels; ++c) to[p * channels + c] = from[c] / static_cast<Real>(pixels);
        }
      }
    });
    x.add_grad(grad);
  });
}

}  // namespace qlimit
