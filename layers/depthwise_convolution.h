// The arithmetic of a depthwise convolution and its gradients on tensors, image by image, in the form of
// layers/convolution.h: depthwise_conv2d.cpp and fusion.cpp put it on the tape.
#pragma once

#include "layers/convolution.h"

namespace qlimit {

/// A depthwise convolution laid over images of one shape. A multiplier M is the same as M copies of each
/// input channel side by side, and multiplier 1 from there on.
struct DepthwiseConvolution {
  WindowGeometry g;  // over images with the channels repeated
  int64_t out_channels;
  int64_t multiplier;

  int64_t in_size() const { return g.in_h * g.in_w * g.channels; }
  int64_t out_size() const { return g.out_pixels() * out_channels; }
  int64_t multiply_adds() const { return g.batch * out_size() * g.window.kernel_h * g.window.kernel_w; }
};

/// x: [N,H,W,C], weight: [1,KH,KW,C*M] with KH, KW as in `window`, bias: [C*M] or null. Throws kUsage for
/// shapes that do not fit each other, kUnsupported if the window reaches far beyond the image.
DepthwiseConvolution lay_depthwise(const Shape& x, const Shape& weight, const Shape* bias,
                                   const Window& window);

/// -> [N,OH,OW,C*M]; bias: [C*M] or null.
Tensor<Real> convolve(const DepthwiseConvolution& conv, const Tensor<Real>& x, const Tensor<Real>& weight,
                      const Real* bias, const ImageDone& done = nullptr);

ConvolutionGradients convolution_gradients(const DepthwiseConvolution& conv, const Tensor<Real>& x,
                                           const Tensor<Real>& weight, const ImageUpstream& upstream,
                                           const WantedGradients& wanted);

}  // namespace qlimit
