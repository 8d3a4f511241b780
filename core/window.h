// The geometry that convolutions and pools share: where a sliding window starts and how many places it has.
//
// One axis, with input size `in`, kernel k, stride s, dilation d and the effective kernel e = (k-1)*d + 1:
//   SAME :  out = ceil(in / s)               VALID :  out = ceil((in - e + 1) / s)
//   total = max(0, (out-1)*s + e - in),  before = floor(total / 2),  the odd one goes after (bottom, right)
// Output place o covers the input places o*s - before + i*d for i in 0 ... k-1. These are TensorFlow's rules
// (TFLite, kernels/padding.h); PyTorch's `padding=1` differs from them for strides above 1.
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace qlimit {

enum class Padding { kSame, kValid };

/// A window that slides over the rows and columns of an image. All numbers are from 1 to 2^20.
struct Window {
  int64_t kernel_h = 1;
  int64_t kernel_w = 1;
  int64_t stride_h = 1;
  int64_t stride_w = 1;
  int64_t dilation_h = 1;
  int64_t dilation_w = 1;
  Padding padding = Padding::kSame;

  bool operator==(const Window&) const = default;
};

/// A window laid over images of a given size.
struct WindowGeometry {
  int64_t batch, in_h, in_w, channels;
  int64_t out_h, out_w;
  int64_t pad_top, pad_left;
  Window window;

  /// Columns of the im2col matrix: KH*KW*C.
  int64_t patch_size() const { return window.kernel_h * window.kernel_w * channels; }
  /// Output pixels of one image: OH*OW.
  int64_t out_pixels() const { return out_h * out_w; }
};

/// input: [N,H,W,C]. Throws kUsage (naming `operation`) if the input is empty or not of rank 4, a window number
/// is not in 1 to 2^20, or a VALID window does not fit.
WindowGeometry lay_window(const char* operation, const Window& window, const Shape& input);

/// The same for a pool, which also throws kUsage if the window is dilated: a dilated window can miss the
/// image altogether, and then there is nothing to pool.
WindowGeometry lay_pool(const char* operation, const Window& window, const Shape& input);

/// Calls body(out_pixel, tap, in_pixel) for each output pixel of one image and each tap of its window that
/// falls inside the image, in row-major order. Pixels count from 0 to OH*OW-1 and H*W-1, taps from 0 to
/// KH*KW-1.
template <typename Body>
void for_each_tap(const WindowGeometry& g, const Body& body) {
  const Window& w = g.window;
  for (int64_t out_y = 0; out_y < g.out_h; ++out_y) {
    for (int64_t out_x = 0; out_x < g.out_w; ++out_x) {
      for (int64_t i = 0; i < w.kernel_h; ++i) {
        const int64_t y = out_y * w.stride_h - g.pad_top + i * w.dilation_h;
        if (y < 0 || y >= g.in_h) continue;
        for (int64_t j = 0; j < w.kernel_w; ++j) {
          const int64_t x = out_x * w.stride_w - g.pad_left + j * w.dilation_w;
          if (x < 0 || x >= g.in_w) continue;
          body(out_y * g.out_w + out_x, i * w.kernel_w + j, y * g.in_w + x);
        }
      }
    }
  }
}

}  // namespace qlimit
