#include "layers/conv2d.h"

#include <algorithm>
#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/conv.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/parallel.h"
#include "layers/initialize.h"
#include "layers/require.h"

namespace qlimit {
namespace {

// Only the input's gradient of a convolution with a stride takes the way over a patch matrix, which is never
// made whole: a block of output lines is computed into a buffer that fits the second cache, added to the
// image at once, and the buffer used again.
constexpr int64_t kBlockBytes = 128 * 1024;

struct Convolution {
  WindowGeometry g;
  int64_t out_channels;

  int64_t in_size() const { return g.in_h * g.in_w * g.channels; }
  int64_t out_size() const { return g.out_pixels() * out_channels; }
};

Convolution check(const Variable& x, const Variable& weight, const Variable& bias, const Window& window) {
  const WindowGeometry g = lay_window("conv2d", window, x.shape());
  const int64_t out_channels = weight.shape().rank() == 4 ? weight.shape()[0] : 0;
  const Shape expected{out_channels, window.kernel_h, window.kernel_w, g.channels};
  if (out_channels < 1 || weight.shape() != expected) {
    throw Error(ErrorKind::kUsage,
                {.what = "wrong filter shape",
                 .where = "conv2d",
                 .expected = concat("[O,", window.kernel_h, ",", window.kernel_w, ",", g.channels, "]"),
                 .found = weight.shape().to_string()});
  }
  require_near_window(PackedConv::suits(g), "conv2d", window, x.shape());
  if (bias && bias.shape() != Shape{out_channels}) {
    throw Error(ErrorKind::kUsage, {.what = "wrong bias shape",
                                    .where = "conv2d",
                                    .expected = concat("[", out_channels, "]"),
                                    .found = bias.shape().to_string()});
  }
  return {g, out_channels};
}

/// Memory for one thread's lines.
Tensor<Real> scratch(int64_t bytes) {
  return Tensor<Real>::uninitialized({bytes / static_cast<int64_t>(sizeof(Real))});
}
std::byte* bytes_of(Tensor<Real>& tensor) { return reinterpret_cast<std::byte*>(tensor.data()); }

Tensor<Real> convolve(const Convolution& conv, const Tensor<Real>& x, const Tensor<Real>& weight,
                      const Real* bias) {
  const WindowGeometry& g = conv.g;
  const PackedConv packed(g, weight.data(), conv.out_channels);
  Tensor<Real> y = Tensor<Real>::uninitialized({g.batch, g.out_h, g.out_w, conv.out_channels});
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(packed.scratch_bytes());
    for (int64_t n = begin; n < end; ++n) {
      packed.run(x.data() + n * conv.in_size(), 0, g.out_h, bytes_of(lines),
                 {.epilogue = {.bias = bias}, .out = y.data() + n * conv.out_size()});
    }
  });
  return y;
}

// dW = G^T X. Each chunk of images sums its own transposed part [KH*KW*C, O], whose lanes run along the
// output channels; the parts are added in order and transposed at the end. The number of chunks depends on
// the batch alone.
Tensor<Real> weight_gradient(const Convolution& conv, const Tensor<Real>& x, const Tensor<Real>& upstream,
                             const Shape& weight_shape) {
  constexpr int64_t kMostChunks = 16;
  const WindowGeometry& g = conv.g;
  const int64_t patch = g.patch_size(), out_channels = conv.out_channels;
  const int64_t grain = chunk_count(g.batch, kMostChunks);
  Tensor<Real> parts({chunk_count(g.batch, grain), patch, out_channels});
  const ConvGradient gradient(g, out_channels);
  parallel_chunks(g.batch, grain, [&](int64_t chunk, int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(gradient.scratch_bytes());
    Real* part = parts.data() + chunk * patch * out_channels;
    for (int64_t n = begin; n < end; ++n) {
      gradient.add_filters(x.data() + n * conv.in_size(), upstream.data() + n * conv.out_size(),
                           bytes_of(lines), part);
    }
  });
  Tensor<Real> dw = Tensor<Real>::uninitialized(weight_shape);
  parallel_for(patch, 16, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(static_cast<size_t>(out_channels));
    for (int64_t p = begin; p < end; ++p) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t chunk = 0; chunk < parts.dim(0); ++chunk) {
        const Real* part = parts.data() + (chunk * patch + p) * out_channels;
        for (int64_t o = 0; o < out_channels; ++o)
          sums[static_cast<size_t>(o)] += static_cast<double>(part[o]);
      }
      for (int64_t o = 0; o < out_channels; ++o)
        dw[o * patch + p] = static_cast<Real>(sums[static_cast<size_t>(o)]);
    }
  });
  return dw;
}

// dX = G W, block by block, each patch row added back to the image that it came from.
void strided_input_gradient(const Convolution& conv, const Tensor<Real>& weight, const Tensor<Real>& upstream,
                            Tensor<Real>& dx) {
  const WindowGeometry& g = conv.g;
  const int64_t patch = g.patch_size();
  const int64_t line_bytes = g.out_w * patch * static_cast<int64_t>(sizeof(Real));
  const int64_t block = std::clamp<int64_t>(kBlockBytes / line_bytes, 1, g.out_h);
  const PackedMatrix filters({weight.data(), patch, 1}, conv.out_channels, patch);
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    Tensor<Real> patches = Tensor<Real>::uninitialized({block * g.out_w, patch});
    for (int64_t n = begin; n < end; ++n) {
      Real* image = dx.data() + n * conv.in_size();
      std::fill(image, image + conv.in_size(), Real(0));
      for (int64_t line = 0; line < g.out_h; line += block) {
        const int64_t last = std::min(g.out_h, line + block);
        const Real* from = upstream.data() + n * conv.out_size() + line * g.out_w * conv.out_channels;
        gemm((last - line) * g.out_w, {from, conv.out_channels, 1}, filters, patches.data(), patch);
        col2im(g, patches.data(), line, last, image);
      }
    }
  });
}

Tensor<Real> input_gradient(const Convolution& conv, const Tensor<Real>& weight, const Tensor<Real>& upstream,
                            const Shape& x_shape) {
  const WindowGeometry& g = conv.g;
  Tensor<Real> dx = Tensor<Real>::uninitialized(x_shape);
  if (g.window.stride_h != 1 || g.window.stride_w != 1) {
    strided_input_gradient(conv, weight, upstream, dx);
    return dx;
  }
  const PackedConv back = input_gradient_conv(g, weight.data(), conv.out_channels);
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(back.scratch_bytes());
    for (int64_t n = begin; n < end; ++n) {
      back.run(upstream.data() + n * conv.out_size(), 0, g.in_h, bytes_of(lines),
               {.out = dx.data() + n * conv.in_size()});
    }
  });
  return dx;
}

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const Window& window) {
  const Convolution conv = check(x, weight, bias, window);
  const int64_t pixels = conv.g.batch * conv.g.out_pixels();
  Tensor<Real> y = convolve(conv, x.value(), weight.value(), bias ? bias.value().data() : nullptr);
  const int64_t multiply_adds = pixels * conv.out_channels * conv.g.patch_size();
  return record(std::move(y), {.name = "conv2d", .options = window, .multiply_adds = multiply_adds},
                {x, weight, bias}, [=](const Tensor<Real>& upstream) {
                  if (weight.wants_grad()) {
                    weight.add_grad(weight_gradient(conv, x.value(), upstream, weight.shape()));
                  }
                  if (x.wants_grad()) x.add_grad(input_gradient(conv, weight.value(), upstream, x.shape()));
                  if (bias && bias.wants_grad()) {
                    const auto sums = channel_sums(pixels, conv.out_channels, upstream.data());
                    bias.add_grad(Tensor<Real>(bias.shape(), std::vector<Real>(sums.begin(), sums.end())));
                  }
                });
}

Conv2D::Conv2D(int64_t in_channels, int64_t out_channels, const Window& window, bool use_bias, Random& random)
    : window_(window) {
  const Shape shape{out_channels, window.kernel_h, window.kernel_w, in_channels};
  const int64_t fan_in = window.kernel_h * window.kernel_w * in_channels;
  weight_ = add_parameter("weight", he_normal(shape, fan_in, random), true);
  if (use_bias) bias_ = add_parameter("bias", Tensor<Real>({out_channels}), false);
}

Variable Conv2D::forward(const Variable& x) { return conv2d(x, weight_, bias_, window_); }

}  // namespace qlimit
