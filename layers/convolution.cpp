#include "layers/convolution.h"

#include <algorithm>
#include <optional>

#include "core/kernels/conv.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/parallel.h"
#include "layers/require.h"
#include "layers/scratch.h"

namespace qlimit {
namespace {

// Only the input's gradient of a convolution with a stride takes the way over a patch matrix, which is never
// made whole: a block of output lines is computed into a buffer that fits the L2 cache, added to the
// image at once, and the buffer used again.
constexpr int64_t kBlockBytes = 128 * 1024;

/// The gradient of the input, image by image.
class InputGradient {
 public:
  InputGradient(const Convolution& conv, const Tensor<Real>& weight) : conv_(conv) {
    const WindowGeometry& g = conv.g;
    if (g.window.stride_h == 1 && g.window.stride_w == 1) {
      back_ = input_gradient_conv(g, weight.data(), conv.out_channels);
    } else {
      const int64_t line_bytes = g.out_w * g.patch_size() * static_cast<int64_t>(sizeof(Real));
      block_ = std::clamp<int64_t>(kBlockBytes / line_bytes, 1, g.out_h);
      filters_ = PackedMatrix({weight.data(), g.patch_size(), 1}, conv.out_channels, g.patch_size());
    }
  }

  int64_t scratch_bytes() const {
    if (block_ == 0) return back_.scratch_bytes();
    return block_ * conv_.g.out_w * conv_.g.patch_size() * static_cast<int64_t>(sizeof(Real));
  }

  /// upstream: [OH,OW,O] of one image, dx: [H,W,C] of it. scratch: scratch_bytes().
  void run(const Real* upstream, Tensor<Real>& scratch, Real* dx) const {
    if (block_ == 0) {
      back_.run(upstream, 0, conv_.g.in_h, bytes_of(scratch), {.out = dx});
    } else {
      run_strided(upstream, scratch.data(), dx);
    }
  }

 private:
  // dX = G W, block by block, each patch row added back to the image that it came from.
  void run_strided(const Real* upstream, Real* patches, Real* dx) const {
    const WindowGeometry& g = conv_.g;
    std::fill(dx, dx + conv_.in_size(), Real(0));
    for (int64_t line = 0; line < g.out_h; line += block_) {
      const int64_t last = std::min(g.out_h, line + block_);
      const Real* from = upstream + line * g.out_w * conv_.out_channels;
      gemm((last - line) * g.out_w, {from, conv_.out_channels, 1}, filters_, patches, g.patch_size());
      col2im(g, patches, line, last, dx);
    }
  }

  Convolution conv_;
  PackedConv back_;
  int64_t block_ = 0;  // output lines of a block, with a stride
  PackedMatrix filters_;
};

}  // namespace

Convolution lay_convolution(const Shape& x, const Shape& weight, const Shape* bias, const Window& window) {
  const WindowGeometry g = lay_window("conv2d", window, x);
  const int64_t out_channels = weight.rank() == 4 ? weight[0] : 0;
  require_shape(
      out_channels > 0 && weight == Shape{out_channels, window.kernel_h, window.kernel_w, g.channels},
      "conv2d", concat("weights [O,", window.kernel_h, ",", window.kernel_w, ",", g.channels, "]"), weight);
  if (bias) require_shape(*bias == Shape{out_channels}, "conv2d", concat("bias [", out_channels, "]"), *bias);
  // With a stride, the gradient of the input goes another way (InputGradient).
  const bool turns = window.stride_h == 1 && window.stride_w == 1;
  require_near_window(PackedConv::suits(g) && (!turns || PackedConv::suits(turned_geometry(g, out_channels))),
                      "conv2d", window, x);
  return {g, out_channels};
}

Tensor<Real> convolve(const Convolution& conv, const Tensor<Real>& x, const Tensor<Real>& weight,
                      const Real* bias, const ImageDone& done) {
  const WindowGeometry& g = conv.g;
  const PackedConv packed(g, weight.data(), conv.out_channels);
  Tensor<Real> y = Tensor<Real>::uninitialized({g.batch, g.out_h, g.out_w, conv.out_channels});
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(packed.scratch_bytes());
    for (int64_t n = begin; n < end; ++n) {
      Real* image = y.data() + n * conv.out_size();
      packed.run(x.data() + n * conv.in_size(), 0, g.out_h, bytes_of(lines),
                 {.epilogue = {.bias = bias}, .out = image});
      if (done) done(n, image);
    }
  });
  return y;
}

// Each chunk of images sums its own part; the number of chunks depends on the batch alone. An image's
// upstream gradient serves all three gradients while it is in the cache.
ConvolutionGradients convolution_gradients(const Convolution& conv, const Tensor<Real>& x,
                                           const Tensor<Real>& weight, const ImageUpstream& upstream,
                                           const WantedGradients& wanted) {
  constexpr int64_t kMostChunks = 16;
  const bool wants_parameters = wanted.weight || wanted.bias;
  const WindowGeometry& g = conv.g;
  const ConvGradient of_filters(g, conv.out_channels);
  const int64_t grain = chunk_count(g.batch, kMostChunks);
  ConvolutionGradients gradients{
      Tensor<Real>::uninitialized(weight.shape()), Tensor<Real>::uninitialized({conv.out_channels}), {}};
  Tensor<Real> parts;
  if (wants_parameters) parts = Tensor<Real>({chunk_count(g.batch, grain), of_filters.sums_size()});
  std::optional<InputGradient> of_input;
  if (wanted.x) {
    gradients.x = Tensor<Real>::uninitialized(x.shape());
    of_input.emplace(conv, weight);
  }
  parallel_chunks(g.batch, grain, [&](int64_t chunk, int64_t begin, int64_t end) {
    Tensor<Real> lines =
        scratch(std::max(of_filters.scratch_bytes(), of_input ? of_input->scratch_bytes() : 0));
    Tensor<Real> computed = Tensor<Real>::uninitialized({conv.out_size()});
    for (int64_t n = begin; n < end; ++n) {
      const Real* above = upstream(n, computed.data());
      if (wants_parameters) {
        of_filters.add(x.data() + n * conv.in_size(), above, bytes_of(lines),
                       parts.data() + chunk * of_filters.sums_size());
      }
      if (of_input) of_input->run(above, lines, gradients.x.data() + n * conv.in_size());
    }
  });
  if (!wants_parameters) return gradients;
  parallel_for(conv.out_channels, 4, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      of_filters.finish(o, parts.dim(0), parts.data(), gradients.weight.data() + o * g.patch_size(),
                        gradients.bias.data() + o);
    }
  });
  return gradients;
}

}  // namespace qlimit
