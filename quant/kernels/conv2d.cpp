#include "quant/kernels/conv2d.h"

#include <algorithm>

#include "core/error.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

// Where sums cannot be requantized in their registers, so many lines of them are computed at once.
constexpr int64_t kSumLines = 2;

int64_t sums_bytes(const Conv2DParams& p) {
  if (p.requantizer.in_registers()) return 0;
  return kSumLines * p.geometry.out_w * p.packed.columns() * static_cast<int64_t>(sizeof(int32_t));
}

}  // namespace

Conv2DParams prepare_conv2d(const Shape& input, AffineParams input_params, const QuantizedFilter& filter,
                            const Window& window, const OutputStage& output) {
  const WindowGeometry geometry = lay_window("conv2d", window, input);
  const Shape& weight = filter.weight.shape();
  if (weight.rank() != 4 || weight.size() == 0 || weight[1] != window.kernel_h ||
      weight[2] != window.kernel_w || geometry.channels % weight[3] != 0 ||
      weight[0] % (geometry.channels / weight[3]) != 0) {
    throw Error(ErrorKind::kUsage, {.what = "wrong weight shape",
                                    .where = "conv2d",
                                    .expected = concat("[O,", window.kernel_h, ",", window.kernel_w, ",",
                                                       geometry.channels, "/groups]"),
                                    .found = weight.to_string()});
  }
  const std::vector<int32_t> folded_bias = fold_zero_point("conv2d", filter, 0, input_params.zero_point);
  Conv2DParams p = {.geometry = geometry,
                    .groups = geometry.channels / weight[3],
                    .out_channels = weight[0],
                    .input_zero_point = input_params.zero_point,
                    .weight = filter.weight,
                    .bias = filter.bias,
                    .multipliers = channel_multipliers(filter, weight[0], input_params.scale, output),
                    .out = output_clamp(output.activation, output.params),
                    .rounding = output.rounding,
                    .is_fast = weight[3] == geometry.channels && PackedConvInt8::suits(geometry),
                    .packed = {},
                    .requantizer = {}};
  if (p.is_fast) {
    p.packed = PackedConvInt8(geometry, filter.weight.data(), p.out_channels);
    p.requantizer =
        SumRequantizer(p.packed.columns(), offset_bias(folded_bias, filter.weight, p.packed.image_offset()),
                       p.multipliers, p.out, p.rounding);
  }
  return p;
}

void conv2d_reference(const Conv2DParams& p, const int8_t* x, int8_t* y) {
  const WindowGeometry& g = p.geometry;
  const int64_t channels = g.channels / p.groups;
  const int64_t outputs = p.out_channels / p.groups;
  for (int64_t n = 0; n < g.batch; ++n) {
    for (int64_t oy = 0; oy < g.out_h; ++oy) {
      for (int64_t ox = 0; ox < g.out_w; ++ox) {
        for (int64_t o = 0; o < p.out_channels; ++o) {
          int32_t acc = 0;
          const int8_t* w = p.weight.data() + o * g.window.kernel_h * g.window.kernel_w * channels;
          for (int64_t ky = 0; ky < g.window.kernel_h; ++ky) {
            const int64_t iy = oy * g.window.stride_h - g.pad_top + ky * g.window.dilation_h;
            for (int64_t kx = 0; kx < g.window.kernel_w; ++kx, w += channels) {
              const int64_t ix = ox * g.window.stride_w - g.pad_left + kx * g.window.dilation_w;
              if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
              const int8_t* in = x + ((n * g.in_h + iy) * g.in_w + ix) * g.channels + o / outputs * channels;
              for (int64_t c = 0; c < channels; ++c) acc += w[c] * (in[c] - p.input_zero_point);
            }
          }
          acc += p.bias[static_cast<size_t>(o)];
          *y++ = requantize(acc, p.multipliers[static_cast<size_t>(o)], p.out, p.rounding);
        }
      }
    }
  }
}

int64_t conv2d_workspace_bytes(const Conv2DParams& p) {
  return p.is_fast ? sums_bytes(p) + p.packed.scratch_bytes() : 0;
}

void conv2d_lines(const Conv2DParams& p, const int8_t* x, int64_t begin, int64_t end, void* workspace,
                  int8_t* y, bool max_pool) {
  const auto border = static_cast<int8_t>(p.input_zero_point);
  auto* scratch = static_cast<std::byte*>(workspace) + sums_bytes(p);
  const int64_t out_w = max_pool ? p.geometry.out_w / 2 : p.geometry.out_w;
  y += (max_pool ? begin / 2 : begin) * out_w * p.out_channels;
  if (p.requantizer.in_registers()) {
    const ChannelRequantizer scales = p.requantizer.scales();
    p.packed.run(x, border, begin, end, scratch, {.max_pool = max_pool, .scales = &scales, .out = y});
    return;
  }
  auto* sums = static_cast<int32_t*>(workspace);
  for (int64_t line = begin; line < end; line += kSumLines) {
    const int64_t last = std::min(end, line + kSumLines);
    p.packed.run(x, border, line, last, scratch, {.max_pool = max_pool, .sums = sums});
    const int64_t pixels = (max_pool ? 1 : last - line) * out_w;
    p.requantizer.run(pixels, sums, y);
    y += pixels * p.out_channels;
  }
}

void conv2d(const Conv2DParams& p, const int8_t* x, void* workspace, int8_t* y) {
  if (!p.is_fast) return conv2d_reference(p, x, y);
  const WindowGeometry& g = p.geometry;
  for (int64_t n = 0; n < g.batch; ++n) {
    conv2d_lines(p, x + n * g.in_h * g.in_w * g.channels, 0, g.out_h, workspace,
                 y + n * g.out_pixels() * p.out_channels);
  }
}

}  // namespace qlimit::int8
