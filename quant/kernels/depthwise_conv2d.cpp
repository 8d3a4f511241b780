#include "quant/kernels/depthwise_conv2d.h"

#include "core/error.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

constexpr int kChannelAxis = 3;

int32_t accumulate(const DepthwiseConv2DParams& p, const int8_t* image, int64_t oy, int64_t ox, int64_t o) {
  const WindowGeometry& g = p.geometry;
  const int64_t channel = o / (p.out_channels / g.channels);
  int32_t acc = p.bias[static_cast<size_t>(o)];
  for (int64_t ky = 0; ky < g.window.kernel_h; ++ky) {
    const int64_t iy = oy * g.window.stride_h - g.pad_top + ky * g.window.dilation_h;
    if (iy < 0 || iy >= g.in_h) continue;
    for (int64_t kx = 0; kx < g.window.kernel_w; ++kx) {
      const int64_t ix = ox * g.window.stride_w - g.pad_left + kx * g.window.dilation_w;
      if (ix < 0 || ix >= g.in_w) continue;
      const int32_t w = p.weight[(ky * g.window.kernel_w + kx) * p.out_channels + o];
      acc += w * (image[(iy * g.in_w + ix) * g.channels + channel] - p.input_zero_point);
    }
  }
  return acc;
}

}  // namespace

DepthwiseConv2DParams prepare_depthwise_conv2d(const Shape& input, AffineParams input_params,
                                               const QuantizedFilter& filter, const Window& window,
                                               const OutputStage& output) {
  const WindowGeometry geometry = lay_window("depthwise_conv2d", window, input);
  const Shape& weight = filter.weight.shape();
  if (weight.rank() != 4 || weight.size() == 0 || weight[0] != 1 || weight[1] != window.kernel_h ||
      weight[2] != window.kernel_w || weight[3] % geometry.channels != 0) {
    throw Error(ErrorKind::kUsage, {.what = "wrong weight shape",
                                    .where = "depthwise_conv2d",
                                    .expected = concat("[1,", window.kernel_h, ",", window.kernel_w, ",",
                                                       geometry.channels, "*multiplier]"),
                                    .found = weight.to_string()});
  }
  fold_zero_point("depthwise_conv2d", filter, kChannelAxis, input_params.zero_point);  // for its checks
  return {.geometry = geometry,
          .out_channels = weight[3],
          .input_zero_point = input_params.zero_point,
          .weight = filter.weight,
          .bias = filter.bias,
          .multipliers = channel_multipliers(filter, weight[3], input_params.scale, output),
          .out = output_clamp(output.activation, output.params),
          .rounding = output.rounding};
}

void depthwise_conv2d(const DepthwiseConv2DParams& p, const int8_t* x, int8_t* y) {
  const WindowGeometry& g = p.geometry;
  for (int64_t n = 0; n < g.batch; ++n) {
    const int8_t* image = x + n * g.in_h * g.in_w * g.channels;
    for (int64_t oy = 0; oy < g.out_h; ++oy) {
      for (int64_t ox = 0; ox < g.out_w; ++ox) {
        for (int64_t o = 0; o < p.out_channels; ++o) {
          const int32_t acc = accumulate(p, image, oy, ox, o);
          *y++ = requantize(acc, p.multipliers[static_cast<size_t>(o)], p.out, p.rounding);
        }
      }
    }
  }
}

}  // namespace qlimit::int8
