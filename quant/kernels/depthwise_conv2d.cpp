#include "quant/kernels/depthwise_conv2d.h"

#include <algorithm>

#include "core/error.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

constexpr int kChannelAxis = 3;
// Where sums cannot be requantized in their registers, so many lines of them are computed at once.
constexpr int64_t kSumLines = 2;

int64_t sums_bytes(const DepthwiseConv2DParams& p) {
  if (p.requantizer.in_registers()) return 0;
  return kSumLines * p.packed.line_pixels() * p.packed.columns() * static_cast<int64_t>(sizeof(int32_t));
}

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
  const int64_t multiplier = weight[3] / geometry.channels;
  const std::vector<int32_t> folded_bias =
      fold_zero_point("depthwise_conv2d", filter, kChannelAxis, input_params.zero_point);
  DepthwiseConv2DParams p = {
      .geometry = geometry,
      .out_channels = weight[3],
      .input_zero_point = input_params.zero_point,
      .weight = filter.weight,
      .bias = filter.bias,
      .multipliers = channel_multipliers(filter, weight[3], input_params.scale, output),
      .out = output_clamp(output.activation, output.params),
      .rounding = output.rounding,
      .is_fast = PackedDepthwiseInt8::suits(geometry, multiplier),
      .packed = {},
      .requantizer = {}};
  if (p.is_fast) {
    p.packed = PackedDepthwiseInt8(geometry, filter.weight.data(), multiplier);
    p.requantizer = SumRequantizer(p.packed.columns(), p.packed.folded(folded_bias),
                                   p.packed.folded(p.multipliers), p.out, p.rounding);
  }
  return p;
}

void depthwise_conv2d_reference(const DepthwiseConv2DParams& p, const int8_t* x, int8_t* y) {
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

int64_t depthwise_conv2d_workspace_bytes(const DepthwiseConv2DParams& p) {
  return p.is_fast ? sums_bytes(p) + p.packed.scratch_bytes() : 0;
}

void depthwise_conv2d_lines(const DepthwiseConv2DParams& p, const int8_t* x, int64_t begin, int64_t end,
                            void* workspace, int8_t* y) {
  const auto border = static_cast<int8_t>(p.input_zero_point);
  auto* sums = static_cast<int32_t*>(workspace);
  auto* scratch = static_cast<std::byte*>(workspace) + sums_bytes(p);
  const int64_t line_size = p.geometry.out_w * p.out_channels;
  if (p.requantizer.in_registers()) {
    const ChannelRequantizer scales = p.requantizer.scales();
    p.packed.run(x, border, begin, end, scratch, {.scales = &scales, .out = y + begin * line_size});
    return;
  }
  for (int64_t line = begin; line < end; line += kSumLines) {
    const int64_t last = std::min(end, line + kSumLines);
    p.packed.run(x, border, line, last, scratch, {.sums = sums});
    p.requantizer.run((last - line) * p.packed.line_pixels(), sums, y + line * line_size);
  }
}

void depthwise_conv2d(const DepthwiseConv2DParams& p, const int8_t* x, void* workspace, int8_t* y) {
  if (!p.is_fast) return depthwise_conv2d_reference(p, x, y);
  const WindowGeometry& g = p.geometry;
  for (int64_t n = 0; n < g.batch; ++n) {
    depthwise_conv2d_lines(p, x + n * g.in_h * g.in_w * g.channels, 0, g.out_h, workspace,
                           y + n * g.out_pixels() * p.out_channels);
  }
}

}  // namespace qlimit::int8
