// Two-dimensional convolution (in the field's sense: cross-correlation).
//
//   y[n,oy,ox,o] = bias[o] + sum over ky,kx,c of weight[o,ky,kx,c] * x[n,iy,ix,c]
//   iy = oy * stride_h - pad_top  + ky * dilation_h
//   ix = ox * stride_w - pad_left + kx * dilation_w
//
// with zeros outside the image. That is a matrix product of patches (core/kernels/im2col.h) and filters,
// which core/kernels/conv.h computes without the matrix. With X the patch matrix [N*OH*OW, KH*KW*C], W the
// filters [O, KH*KW*C] and G the upstream gradient [N*OH*OW, O]:
//
//   Y = X W^T + bias      dW = G^T X      dX = col2im(G W)      dbias = column sums of G
//
// where col2im adds each patch back to its place in the image.
#pragma once

#include "core/random.h"
#include "core/window.h"
#include "layers/layer.h"

namespace qlimit {

/// x: [N,H,W,C], weight: [O,KH,KW,C] with KH, KW as in `window`, bias: [O] or an empty handle -> [N,OH,OW,O].
/// Throws kUsage for shapes that do not fit each other, kUnsupported if the window reaches far beyond the
/// image.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const Window& window);

class Conv2D final : public Layer {
 public:
  /// Filters by He's normal initialization with fan-in KH*KW*in, biases zero.
  Conv2D(int64_t in_channels, int64_t out_channels, const Window& window, bool use_bias, Random& random);
  Variable forward(const Variable& x) override;

  const Variable& weight() const { return weight_; }
  const Variable& bias() const { return bias_; }
  const Window& window() const { return window_; }

 private:
  Window window_;
  Variable weight_;
  Variable bias_;
};

}  // namespace qlimit
