#include "layers/depthwise_conv2d.h"

#include "layers/convolution_gradients.h"
#include "layers/depthwise_convolution.h"
#include "layers/initialize.h"

namespace qlimit {

Variable depthwise_conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                          const Window& window) {
  const DepthwiseConvolution conv =
      lay_depthwise(x.shape(), weight.shape(), bias ? &bias.shape() : nullptr, window);
  Tensor<Real> y = convolve(conv, x.value(), weight.value(), bias ? bias.value().data() : nullptr);
  return record(
      std::move(y), {.name = "depthwise_conv2d", .options = window, .multiply_adds = conv.multiply_adds()},
      {x, weight, bias}, [=](const Tensor<Real>& upstream) {
        add_convolution_gradients(conv, x, weight, bias,
                                  [&](int64_t n, Real*) { return upstream.data() + n * conv.out_size(); });
      });
}

DepthwiseConv2D::DepthwiseConv2D(int64_t channels, int64_t multiplier, const Window& window, bool use_bias,
                                 Random& random)
    : window_(window) {
  const int64_t taps = window.kernel_h * window.kernel_w;
  weight_ = add_parameter(
      "weight", he_normal({1, window.kernel_h, window.kernel_w, channels * multiplier}, taps, random), true);
  if (use_bias) bias_ = add_parameter("bias", Tensor<Real>({channels * multiplier}), false);
}

}  // namespace qlimit
