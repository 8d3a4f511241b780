#include "quant/kernels/conv2d.h"

#include <algorithm>

#include "core/error.h"
#include "core/kernels/im2col.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

// The patches of a block of output lines stay in the nearest caches.
constexpr int64_t kBlockBytes = 64 * 1024;

struct Blocks {
  int64_t lines;       // output lines of a block
  int64_t sums_bytes;  // the sums stand first in the workspace, the patches behind them
  int64_t patch_bytes;

  explicit Blocks(const Conv2DParams& p) {
    const int64_t line_bytes =
        p.geometry.out_w * p.filters.row_stride() * static_cast<int64_t>(sizeof(int16_t));
    lines = std::clamp<int64_t>(kBlockBytes / line_bytes, 1, p.geometry.out_h);
    sums_bytes = lines * p.geometry.out_w * p.filters.columns() * static_cast<int64_t>(sizeof(int32_t));
    patch_bytes = lines * line_bytes;
  }
};

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
                    .filters = {},
                    .requantizer = {}};
  if (p.groups == 1) {
    p.filters = PackedInt8Matrix(filter.weight.data(), p.out_channels, geometry.patch_size());
    p.requantizer = SumRequantizer(p.filters.columns(), folded_bias, p.multipliers, p.out, p.rounding);
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
  if (p.groups > 1) return 0;
  const Blocks blocks(p);
  return blocks.sums_bytes + blocks.patch_bytes;
}

void conv2d_lines(const Conv2DParams& p, const int8_t* x, int64_t begin, int64_t end, void* workspace,
                  int8_t* y) {
  const WindowGeometry& g = p.geometry;
  const Blocks blocks(p);
  int32_t* sums = static_cast<int32_t*>(workspace);
  int16_t* patches = reinterpret_cast<int16_t*>(static_cast<char*>(workspace) + blocks.sums_bytes);
  const int8_t zero_point = static_cast<int8_t>(p.input_zero_point);
  for (int64_t line = begin; line < end; line += blocks.lines) {
    const int64_t last = std::min(end, line + blocks.lines);
    const int64_t pixels = (last - line) * g.out_w;
    im2col_int8(g, x, zero_point, p.filters.row_stride(), line, last, patches);
    gemm_int8(pixels, patches, p.filters, sums);
    p.requantizer.run(pixels, sums, y + line * g.out_w * p.out_channels);
  }
}

void conv2d(const Conv2DParams& p, const int8_t* x, void* workspace, int8_t* y) {
  if (p.groups > 1) return conv2d_reference(p, x, y);
  const WindowGeometry& g = p.geometry;
  for (int64_t n = 0; n < g.batch; ++n) {
    conv2d_lines(p, x + n * g.in_h * g.in_w * g.channels, 0, g.out_h, workspace,
                 y + n * g.out_pixels() * p.out_channels);
  }
}

}  // namespace qlimit::int8
