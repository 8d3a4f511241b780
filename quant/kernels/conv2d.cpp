#include "quant/kernels/conv2d.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/kernels/gemm_int8.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

// Output pixels whose patches are gathered at a time: few enough to stay in the nearest cache.
constexpr int64_t kPixelBlock = 32;

struct Workspace {
  int32_t* sums;    // [kPixelBlock, O/groups]
  int8_t* patches;  // [kPixelBlock, KH*KW*C/groups]
};

Workspace divide(const Conv2DParams& p, void* workspace) {
  int32_t* sums = static_cast<int32_t*>(workspace);
  return {sums, reinterpret_cast<int8_t*>(sums + kPixelBlock * (p.out_channels / p.groups))};
}

// Copies the input channels of one group under the window at output pixel `pixel` (counted over the whole
// batch).
void gather_patch(const Conv2DParams& p, const int8_t* x, int64_t pixel, int64_t group, int8_t* patch) {
  const WindowGeometry& g = p.geometry;
  const int64_t channels = g.channels / p.groups;
  const int64_t n = pixel / g.out_pixels();
  const int64_t y0 = pixel % g.out_pixels() / g.out_w * g.window.stride_h - g.pad_top;
  const int64_t x0 = pixel % g.out_w * g.window.stride_w - g.pad_left;
  for (int64_t ky = 0; ky < g.window.kernel_h; ++ky) {
    const int64_t iy = y0 + ky * g.window.dilation_h;
    for (int64_t kx = 0; kx < g.window.kernel_w; ++kx, patch += channels) {
      const int64_t ix = x0 + kx * g.window.dilation_w;
      if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) {
        std::memset(patch, p.input_zero_point, static_cast<size_t>(channels));
      } else {
        const int8_t* from = x + ((n * g.in_h + iy) * g.in_w + ix) * g.channels + group * channels;
        std::memcpy(patch, from, static_cast<size_t>(channels));
      }
    }
  }
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
  return {.geometry = geometry,
          .groups = geometry.channels / weight[3],
          .out_channels = weight[0],
          .input_zero_point = input_params.zero_point,
          .weight = filter.weight,
          .bias = filter.bias,
          .folded_bias = fold_zero_point("conv2d", filter, 0, input_params.zero_point),
          .multipliers = channel_multipliers(filter, weight[0], input_params.scale, output),
          .out = output_clamp(output.activation, output.params),
          .rounding = output.rounding};
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
  const int64_t patch = p.geometry.patch_size() / p.groups;
  return kPixelBlock * (patch + static_cast<int64_t>(sizeof(int32_t)) * (p.out_channels / p.groups));
}

void conv2d(const Conv2DParams& p, const int8_t* x, void* workspace, int8_t* y) {
  const auto [sums, patches] = divide(p, workspace);
  const int64_t patch = p.geometry.patch_size() / p.groups;
  const int64_t outputs = p.out_channels / p.groups;
  const int64_t pixels = p.geometry.batch * p.geometry.out_pixels();
  for (int64_t begin = 0; begin < pixels; begin += kPixelBlock) {
    const int64_t count = std::min(kPixelBlock, pixels - begin);
    for (int64_t group = 0; group < p.groups; ++group) {
      for (int64_t i = 0; i < count; ++i) gather_patch(p, x, begin + i, group, patches + i * patch);
      gemm_int8(count, outputs, patch, patches, p.weight.data() + group * outputs * patch, sums);
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < outputs; ++j) {
          const int64_t o = group * outputs + j;
          const int32_t acc = sums[i * outputs + j] + p.folded_bias[static_cast<size_t>(o)];
          y[(begin + i) * p.out_channels + o] =
              requantize(acc, p.multipliers[static_cast<size_t>(o)], p.out, p.rounding);
        }
      }
    }
  }
}

}  // namespace qlimit::int8
