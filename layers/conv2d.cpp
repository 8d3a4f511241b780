#include "layers/conv2d.h"

#include "layers/convolution_gradients.h"
#include "layers/initialize.h"

namespace qlimit {

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const Window& window) {
  const Convolution conv = lay_convolution(x.shape(), weight.shape(), bias ? &bias.shape() : nullptr, window);
  Tensor<Real> y = convolve(conv, x.value(), weight.value(), bias ? bias.value().data() : nullptr);
  return record(std::move(y), {.name = "conv2d", .options = window, .multiply_adds = conv.multiply_adds()},
                {x, weight, bias}, [=](const Tensor<Real>& upstream) {
                  add_convolution_gradients(conv, x, weight, bias, [&](int64_t n, Real*) {
                    return upstream.data() + n * conv.out_size();
                  });
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
