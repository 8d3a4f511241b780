// The arithmetic of a convolution and its gradients on tensors, image by image: conv2d.cpp and fusion.cpp put
// it on the tape. layers/depthwise_convolution.h is the same for depthwise ones.
#pragma once

#include <functional>

#include "core/real.h"
#include "core/tensor.h"
#include "core/window.h"

namespace qlimit {

/// A convolution laid over images of one shape.
struct Convolution {
  WindowGeometry g;
  int64_t out_channels;

  int64_t in_size() const { return g.in_h * g.in_w * g.channels; }
  int64_t out_size() const { return g.out_pixels() * out_channels; }
  int64_t multiply_adds() const { return g.batch * out_size() * g.patch_size(); }
};

/// x: [N,H,W,C], weight: [O,KH,KW,C] with KH, KW as in `window`, bias: [O] or null. Throws kUsage for shapes
/// that do not fit each other, kUnsupported if the window reaches far beyond the image.
Convolution lay_convolution(const Shape& x, const Shape& weight, const Shape* bias, const Window& window);

/// Called with each image [OH,OW,O] of the output as soon as it is there, by the thread that computed it.
using ImageDone = std::function<void(int64_t image, const Real* y)>;

/// -> [N,OH,OW,O]; bias: [O] or null.
Tensor<Real> convolve(const Convolution& conv, const Tensor<Real>& x, const Tensor<Real>& weight,
                      const Real* bias, const ImageDone& done = nullptr);

/// Gives the upstream gradient [OH,OW,O] of an image. `room` is memory for one, to be used if the gradient
/// must be computed first.
using ImageUpstream = std::function<const Real*(int64_t image, Real* room)>;

struct WantedGradients {
  bool weight = true, bias = true, x = true;
};

/// Each is unspecified unless wanted.
struct ConvolutionGradients {
  Tensor<Real> weight, bias, x;
};
ConvolutionGradients convolution_gradients(const Convolution& conv, const Tensor<Real>& x,
                                           const Tensor<Real>& weight, const ImageUpstream& upstream,
                                           const WantedGradients& wanted);

}  // namespace qlimit
