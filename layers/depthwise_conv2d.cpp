#include "layers/depthwise_conv2d.h"

#include <algorithm>
#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/depthwise.h"
#include "core/parallel.h"
#include "layers/initialize.h"
#include "layers/require.h"

namespace qlimit {
namespace {

constexpr const char* kName = "depthwise_conv2d";
constexpr int64_t kMostChunks = 16;  // of images; each has scratch memory

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

// Images as they lie one behind the other: [images, size].
int64_t in_size(const WindowGeometry& g) { return g.in_h * g.in_w * g.channels; }
int64_t out_size(const WindowGeometry& g) { return g.out_pixels() * g.channels; }

// Calls body(image, scratch memory) for each image; each chunk of them has memory of its own.
template <typename Body>
void for_each_image(int64_t images, int64_t scratch_bytes, const Body& body) {
  parallel_for(images, chunk_count(images, kMostChunks), [&](int64_t begin, int64_t end) {
    Tensor<Real> scratch = Tensor<Real>::uninitialized({scratch_bytes / static_cast<int64_t>(sizeof(Real))});
    for (int64_t n = begin; n < end; ++n) body(n, reinterpret_cast<std::byte*>(scratch.data()));
  });
}

// x: [N,H,W,C]  weight: [KH*KW,C]  ->  [N,OH,OW,C]
Tensor<Real> forward(const WindowGeometry& g, const Tensor<Real>& x, const Tensor<Real>& weight,
                     const Variable& bias) {
  auto y = Tensor<Real>::uninitialized({g.batch, g.out_h, g.out_w, g.channels});
  const PackedDepthwise packed(g, weight.data());
  std::vector<Real> biases;
  if (bias) biases = packed.folded(std::vector<Real>(bias.value().begin(), bias.value().end()));
  const Epilogue epilogue = {.bias = bias ? biases.data() : nullptr};
  for_each_image(g.batch, packed.scratch_bytes(), [&](int64_t n, std::byte* scratch) {
    packed.run(x.data() + n * in_size(g), 0, g.out_h, scratch,
               {.epilogue = epilogue, .out = y.data() + n * out_size(g)});
  });
  return y;
}

Tensor<Real> input_gradient(const WindowGeometry& g, const Tensor<Real>& upstream,
                            const Tensor<Real>& weight) {
  auto grad = Tensor<Real>::uninitialized({g.batch, g.in_h, g.in_w, g.channels});
  const auto each = [&](int64_t scratch_bytes, const auto& one) {
    for_each_image(g.batch, scratch_bytes, [&](int64_t n, std::byte* scratch) {
      one(upstream.data() + n * out_size(g), scratch, grad.data() + n * in_size(g));
    });
  };
  if (g.window.stride_h == 1 && g.window.stride_w == 1) {
    const PackedDepthwise back = input_gradient_depthwise(g, weight.data());
    each(back.scratch_bytes(), [&](const Real* above, std::byte* scratch, Real* dx) {
      back.run(above, 0, g.in_h, scratch, {.out = dx});
    });
  } else {
    const DepthwiseGradient gradient(g);
    each(gradient.scratch_bytes(), [&](const Real* above, std::byte* scratch, Real* dx) {
      gradient.input(above, weight.data(), scratch, dx);
    });
  }
  return grad;
}

// The sum of the rows of parts [rows, shape], in order and in double: the same on any number of threads.
Tensor<Real> sum_rows(int64_t rows, const Tensor<Real>& parts, const Shape& shape) {
  const std::vector<double> sums = channel_sums(rows, shape.size(), parts.data());
  return Tensor<Real>(shape, std::vector<Real>(sums.begin(), sums.end()));
}

// Each image has sums of its own, which are added in order.
Tensor<Real> weight_gradient(const WindowGeometry& g, const Tensor<Real>& upstream, const Tensor<Real>& x,
                             const Shape& shape) {
  Tensor<Real> parts({g.batch, shape.size()});
  const DepthwiseGradient gradient(g);
  for_each_image(g.batch, gradient.scratch_bytes(), [&](int64_t n, std::byte* scratch) {
    gradient.add_filters(x.data() + n * in_size(g), upstream.data() + n * out_size(g), scratch,
                         parts.data() + n * shape.size());
  });
  return sum_rows(g.batch, parts, shape);
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

  require_near_window(PackedDepthwise::suits(g), kName, window, x.shape());

  Tensor<Real> y = forward(g, repeat_channels(x.value(), multiplier), weight.value(), bias);
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
