#include "layers/max_pool2d.h"

#include "core/kernels/pool.h"

namespace qlimit {

Variable max_pool2d(const Variable& x, const Window& window) {
  const WindowGeometry g = lay_pool("max_pool2d", window, x.shape());
  if (window.kernel_h * window.kernel_w > 65536) {
    throw Error(ErrorKind::kUsage, {.what = "the window is too large",
                                    .where = "max_pool2d",
                                    .expected = "at most 65536 places",
                                    .found = concat(window.kernel_h, "x", window.kernel_w)});
  }
  const Shape shape{g.batch, g.out_h, g.out_w, g.channels};
  Tensor<Real> y = Tensor<Real>::uninitialized(shape);
  Tensor<Real> taps = Tensor<Real>::uninitialized(shape);
  max_pool(g, x.value().data(), y.data(), taps.data());
  return record(std::move(y), {.name = "max_pool2d", .options = window}, {x},
                [=](const Tensor<Real>& upstream) {
                  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
                  max_pool_backward(g, upstream.data(), taps.data(), dx.data());
                  x.add_grad(dx);
                });
}

}  // namespace qlimit
