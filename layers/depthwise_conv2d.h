// Depthwise convolution: every channel is filtered by itself, M times (the channel multiplier). With a 1x1
// convolution behind it, it does a full convolution's work at a fraction of the price (Howard et al.,
// "MobileNets", 2017).
//
//   y[n,oy,ox,c*M+m]       = bias[c*M+m] + sum over ky,kx of weight[0,ky,kx,c*M+m] * x[n,iy,ix,c]
//   dweight[0,ky,kx,c*M+m] = sum over n,oy,ox of dy[n,oy,ox,c*M+m] * x[n,iy,ix,c]
//   dx[n,iy,ix,c]          = sum over m, and over oy,ox,ky,kx that look at (iy,ix), of
//                              dy[n,oy,ox,c*M+m] * weight[0,ky,kx,c*M+m]
//
// with iy and ix as in layers/conv2d.h; taps outside the image count as zero. The work is
// done in core/kernels/depthwise.h.
#pragma once

#include "core/window.h"
#include "layers/layer.h"

namespace qlimit {

/// x: [N,H,W,C]  weight: [1,KH,KW,C*M]  bias: [C*M], or empty for none -> [N,OH,OW,C*M]. Throws kUsage if
/// shapes and window do not belong together, kUnsupported if the window reaches far beyond the image.
Variable depthwise_conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                          const Window& window);

class DepthwiseConv2D final : public Layer {
 public:
  /// He-normal weights with fan_in = KH*KW, bias zero.
  DepthwiseConv2D(int64_t channels, int64_t multiplier, const Window& window, bool use_bias, Random& random);

  Variable forward(const Variable& x) override { return depthwise_conv2d(x, weight_, bias_, window_); }

  const Variable& weight() const { return weight_; }
  const Variable& bias() const { return bias_; }
  const Window& window() const { return window_; }

 private:
  Window window_;
  Variable weight_;
  Variable bias_;  // empty if not used
};

}  // namespace qlimit
