#include "layers/average_pool2d.h"

#include "core/parallel.h"

namespace qlimit {
namespace {

// 1/|T(p)| for each output pixel p; the same for every image.
Tensor<Real> reciprocal_counts(const WindowGeometry& g) {
  Tensor<Real> weights({g.out_pixels()});
  for_each_tap(g, [&](int64_t out, int64_t, int64_t) { weights[out] += 1; });
  for (Real& weight : weights) weight = 1 / weight;
  return weights;
}

Tensor<Real> forward(const WindowGeometry& g, const Tensor<Real>& x, const Tensor<Real>& weights) {
  Tensor<Real> y({g.batch, g.out_h, g.out_w, g.channels});
  const int64_t channels = g.channels;
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Real* from = x.data() + n * g.in_h * g.in_w * channels;
      Real* to = y.data() + n * g.out_pixels() * channels;
      for_each_tap(g, [&](int64_t out, int64_t, int64_t in) {
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) to[out * channels + c] += from[in * channels + c];
      });
      for (int64_t out = 0; out < g.out_pixels(); ++out) {
        for (int64_t c = 0; c < channels; ++c) to[out * channels + c] *= weights[out];
      }
    }
  });
  return y;
}

Tensor<Real> backward(const WindowGeometry& g, const Tensor<Real>& upstream, const Tensor<Real>& weights) {
  Tensor<Real> grad({g.batch, g.in_h, g.in_w, g.channels});
  const int64_t channels = g.channels;
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Real* from = upstream.data() + n * g.out_pixels() * channels;
      Real* to = grad.data() + n * g.in_h * g.in_w * channels;
      for_each_tap(g, [&](int64_t out, int64_t, int64_t in) {
        const Real weight = weights[out];
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) to[in * channels + c] += weight * from[out * channels + c];
      });
    }
  });
  return grad;
}

}  // namespace

Variable average_pool2d(const Variable& x, const Window& window) {
  const WindowGeometry g = lay_pool("average_pool2d", window, x.shape());
  const Tensor<Real> weights = reciprocal_counts(g);
  return record(forward(g, x.value(), weights), {.name = "average_pool2d", .options = window}, {x},
                [=](const Tensor<Real>& upstream) { x.add_grad(backward(g, upstream, weights)); });
}

}  // namespace qlimit
