#include "layers/depthwise_conv2d.h"

#include <algorithm>
#include <vector>

#include "core/kernels/channel.h"
#include "core/parallel.h"
#include "layers/initialize.h"
#include "layers/require.h"

namespace qlimit {
namespace {

constexpr const char* kName = "depthwise_conv2d";

void add_product(const Real* a, const Real* b, Real* sum, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) sum[i] += a[i] * b[i];
}

// A multiplier M is the same as M copies of each input channel side by side, and multiplier 1 from there on:
// then all loops below run over the C*M output channels alone. [N,H,W,C] -> [N,H,W,C*M].
Tensor<Real> repeat_channels(const Tensor<Real>& x, int64_t multiplier) {
  if (multiplier == 1) return x;
  auto repeated = Tensor<Real>::uninitialized({x.dim(0), x.dim(1), x.dim(2), x.dim(3) * multiplier});
  Real* to = repeated.data();
  for (const Real value : x) to = std::fill_n(to, multiplier, value);
  return repeated;
}

// The gradient of repeat_channels: [N,H,W,C*M] -> [N,H,W,C].
Tensor<Real> sum_repeats(const Tensor<Real>& grad, int64_t multiplier) {
  if (multiplier == 1) return grad;
  Tensor<Real> sums({grad.dim(0), grad.dim(1), grad.dim(2), grad.dim(3) / multiplier});
  for (int64_t i = 0; i < grad.size(); ++i) sums[i / multiplier] += grad[i];
  return sums;
}

// x: [N,H,W,C]  weight: [KH*KW,C]  ->  [N,OH,OW,C]
Tensor<Real> forward(const WindowGeometry& g, const Tensor<Real>& x, const Tensor<Real>& weight,
                     const Tensor<Real>& bias) {
  auto y = Tensor<Real>::uninitialized({g.batch, g.out_h, g.out_w, g.channels});
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Real* from = x.data() + n * g.in_h * g.in_w * g.channels;
      Real* to = y.data() + n * g.out_pixels() * g.channels;
      for (int64_t p = 0; p < g.out_pixels(); ++p) std::copy(bias.begin(), bias.end(), to + p * g.channels);
      for_each_tap(g, [&](int64_t out, int64_t tap, int64_t in) {
        add_product(from + in * g.channels, weight.data() + tap * g.channels, to + out * g.channels,
                    g.channels);
      });
    }
  });
  return y;
}

Tensor<Real> input_gradient(const WindowGeometry& g, const Tensor<Real>& upstream,
                            const Tensor<Real>& weight) {
  Tensor<Real> grad({g.batch, g.in_h, g.in_w, g.channels});
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Real* from = upstream.data() + n * g.out_pixels() * g.channels;
      Real* to = grad.data() + n * g.in_h * g.in_w * g.channels;
      for_each_tap(g, [&](int64_t out, int64_t tap, int64_t in) {
        add_product(from + out * g.channels, weight.data() + tap * g.channels, to + in * g.channels,
                    g.channels);
      });
    }
  });
  return grad;
}

// The sum of the rows of parts [rows, shape], in order and in double: the same on any number of threads.
Tensor<Real> sum_rows(int64_t rows, const Tensor<Real>& parts, const Shape& shape) {
  const std::vector<double> sums = channel_sums(rows, shape.size(), parts.data());
  return Tensor<Real>(shape, std::vector<Real>(sums.begin(), sums.end()));
}

Tensor<Real> weight_gradient(const WindowGeometry& g, const Tensor<Real>& upstream, const Tensor<Real>& x,
                             const Shape& shape) {
  Tensor<Real> parts({g.batch, shape.size()});
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Real* above = upstream.data() + n * g.out_pixels() * g.channels;
      const Real* from = x.data() + n * g.in_h * g.in_w * g.channels;
      Real* to = parts.data() + n * shape.size();
      for_each_tap(g, [&](int64_t out, int64_t tap, int64_t in) {
        add_product(above + out * g.channels, from + in * g.channels, to + tap * g.channels, g.channels);
      });
    }
  });
  return sum_rows(g.batch, parts, shape);
}

Tensor<Real> filled_bias(const Variable& bias, int64_t channels) {
  return bias ? bias.value() : Tensor<Real>({channels});
}

}  // namespace

Variable depthwise_conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                          const Window& window) {
  WindowGeometry g = lay_window(kName, window, x.shape());
  const Shape& filter = weight.shape();
  require_shape(filter.rank() == 4 && filter[0] == 1 && filter[1] == window.kernel_h &&
                    filter[2] == window.kernel_w && filter[3] > 0 && filter[3] % g.channels == 0,
                kName, concat("weights [1,", window.kernel_h, ",", window.kernel_w, ",", g.channels, "*M]"),
                filter);
  const int64_t multiplier = filter[3] / g.channels;
  g.channels = filter[3];
  if (bias)
    require_shape(bias.shape() == Shape{g.channels}, kName, concat("bias [", g.channels, "]"), bias.shape());

  Tensor<Real> y =
      forward(g, repeat_channels(x.value(), multiplier), weight.value(), filled_bias(bias, g.channels));
  const int64_t multiply_adds = y.size() * window.kernel_h * window.kernel_w;
  return record(std::move(y), {.name = kName, .options = window, .multiply_adds = multiply_adds},
                {x, weight, bias}, [=](const Tensor<Real>& upstream) {
                  if (x.wants_grad())
                    x.add_grad(sum_repeats(input_gradient(g, upstream, weight.value()), multiplier));
                  if (weight.wants_grad()) {
                    weight.add_grad(
                        weight_gradient(g, upstream, repeat_channels(x.value(), multiplier), weight.shape()));
                  }
                  if (bias && bias.wants_grad())
                    bias.add_grad(sum_rows(g.batch * g.out_pixels(), upstream, bias.shape()));
                });
}

DepthwiseConv2D::DepthwiseConv2D(int64_t channels, int64_t multiplier, const Window& window, bool use_bias,
                                 Random& rng)
    : window_(window) {
  const int64_t taps = window.kernel_h * window.kernel_w;
  weight_ = add_parameter(
      "weight", he_normal({1, window.kernel_h, window.kernel_w, channels * multiplier}, taps, rng), true);
  if (use_bias) bias_ = add_parameter("bias", Tensor<Real>({channels * multiplier}), false);
}

}  // namespace qlimit
