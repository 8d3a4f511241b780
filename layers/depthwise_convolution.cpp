#include "layers/depthwise_convolution.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/depthwise.h"
#include "core/parallel.h"
#include "layers/require.h"
#include "layers/scratch.h"

namespace qlimit {
namespace {

constexpr const char* kName = "depthwise_conv2d";
constexpr int64_t kMostChunks = 16;  // of images; each has scratch memory

// [N,H,W,C] -> [N,H,W,C*M].
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

bool has_stride(const Window& window) { return window.stride_h != 1 || window.stride_w != 1; }

/// The gradient of the input, image by image.
class InputGradient {
 public:
  InputGradient(const WindowGeometry& g, const Tensor<Real>& weight) : g_(g), weight_(weight), scatter_(g) {
    if (!has_stride(g.window)) back_ = input_gradient_depthwise(g, weight.data());
  }

  int64_t scratch_bytes() const { return back_ ? back_->scratch_bytes() : scatter_.input_scratch_bytes(); }

  /// upstream: [OH,OW,C] of one image, dx: [H,W,C] of it.
  void run(const Real* upstream, std::byte* room, Real* dx) const {
    if (back_) {
      back_->run(upstream, 0, g_.in_h, room, {.out = dx});
    } else {
      scatter_.input(upstream, weight_.data(), room, dx);
    }
  }

 private:
  WindowGeometry g_;
  Tensor<Real> weight_;
  DepthwiseGradient scatter_;
  std::optional<PackedDepthwise> back_;  // without a stride
};

void add_pixels(int64_t pixels, int64_t channels, const Real* upstream, Real* sums) {
  for (int64_t p = 0; p < pixels; ++p, upstream += channels)
    for (int64_t c = 0; c < channels; ++c) sums[c] += upstream[c];
}

// The sum of the rows of parts [rows, shape], in order and in double: the same on any number of threads.
Tensor<Real> sum_rows(const Tensor<Real>& parts, const Shape& shape) {
  return to_tensor(shape, channel_sums(parts.dim(0), shape.size(), parts.data()));
}

}  // namespace

DepthwiseConvolution lay_depthwise(const Shape& x, const Shape& weight, const Shape* bias,
                                   const Window& window) {
  WindowGeometry g = lay_window(kName, window, x);
  require_shape(weight.rank() == 4 && weight[0] == 1 && weight[1] == window.kernel_h &&
                    weight[2] == window.kernel_w && weight[3] > 0 && weight[3] % g.channels == 0,
                kName, concat("weights [1,", window.kernel_h, ",", window.kernel_w, ",", g.channels, "*M]"),
                weight);
  const int64_t multiplier = weight[3] / g.channels;
  g.channels = weight[3];
  if (bias) require_shape(*bias == Shape{g.channels}, kName, concat("bias [", g.channels, "]"), *bias);
  const int64_t lines = has_stride(window) ? g.out_h : 2;  // the input's gradient needs all of them at once
  require_near_window(PackedDepthwise::suits(g, /*multiplier=*/1, lines), kName, window, x);
  return {g, g.channels, multiplier};
}

Tensor<Real> convolve(const DepthwiseConvolution& conv, const Tensor<Real>& x, const Tensor<Real>& weight,
                      const Real* bias, const ImageDone& done) {
  const WindowGeometry& g = conv.g;
  const Tensor<Real> repeated = repeat_channels(x, conv.multiplier);
  const PackedDepthwise packed(g, weight.data());
  std::vector<Real> biases;
  if (bias) biases = packed.folded(std::vector<Real>(bias, bias + g.channels));
  const Epilogue epilogue = {.bias = bias ? biases.data() : nullptr};
  auto y = Tensor<Real>::uninitialized({g.batch, g.out_h, g.out_w, g.channels});
  parallel_for(g.batch, chunk_count(g.batch, kMostChunks), [&](int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(packed.scratch_bytes());
    for (int64_t n = begin; n < end; ++n) {
      Real* image = y.data() + n * conv.out_size();
      packed.run(repeated.data() + n * conv.in_size(), 0, g.out_h, bytes_of(lines),
                 {.epilogue = epilogue, .out = image});
      if (done) done(n, image);
    }
  });
  return y;
}

// Each image has sums of its own, which are added in order. Its upstream gradient serves all gradients while
// it is in the cache.
ConvolutionGradients convolution_gradients(const DepthwiseConvolution& conv, const Tensor<Real>& x,
                                           const Tensor<Real>& weight, const ImageUpstream& upstream,
                                           const WantedGradients& wanted) {
  const WindowGeometry& g = conv.g;
  const Tensor<Real> repeated = repeat_channels(x, conv.multiplier);
  const DepthwiseGradient of_filters(g);
  const InputGradient of_input(g, weight);
  Tensor<Real> weight_parts, bias_parts, dx;
  if (wanted.weight) weight_parts = Tensor<Real>({g.batch, weight.size()});
  if (wanted.bias) bias_parts = Tensor<Real>({g.batch, g.channels});
  if (wanted.x) dx = Tensor<Real>::uninitialized(repeated.shape());
  parallel_for(g.batch, chunk_count(g.batch, kMostChunks), [&](int64_t begin, int64_t end) {
    Tensor<Real> lines = scratch(std::max(of_filters.filter_scratch_bytes(), of_input.scratch_bytes()));
    Tensor<Real> computed = Tensor<Real>::uninitialized({conv.out_size()});
    for (int64_t n = begin; n < end; ++n) {
      const Real* above = upstream(n, computed.data());
      if (wanted.weight) {
        of_filters.add_filters(repeated.data() + n * conv.in_size(), above, bytes_of(lines),
                               weight_parts.data() + n * weight.size());
      }
      if (wanted.bias) add_pixels(g.out_pixels(), g.channels, above, bias_parts.data() + n * g.channels);
      if (wanted.x) of_input.run(above, bytes_of(lines), dx.data() + n * conv.in_size());
    }
  });
  ConvolutionGradients gradients;
  if (wanted.weight) gradients.weight = sum_rows(weight_parts, weight.shape());
  if (wanted.bias) gradients.bias = sum_rows(bias_parts, {g.channels});
  if (wanted.x) gradients.x = sum_repeats(dx, conv.multiplier);
  return gradients;
}

}  // namespace qlimit
