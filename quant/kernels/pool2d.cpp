#include "quant/kernels/pool2d.h"

#include <algorithm>

#include "core/error.h"
#include "core/kernels/pool.h"

namespace qlimit::int8 {
namespace {

// The part of a window that lies inside the image: rows y0 ... y1-1, columns x0 ... x1-1. Never empty.
struct Clipped {
  int64_t y0, y1, x0, x1;
};

// Calls pool(image, clipped window, output pixel) for each output pixel in order.
template <typename Pool>
void for_each_window(const Pool2DParams& p, const int8_t* x, int8_t* y, const Pool& pool) {
  const WindowGeometry& g = p.geometry;
  for (int64_t n = 0; n < g.batch; ++n) {
    const int8_t* image = x + n * g.in_h * g.in_w * g.channels;
    for (int64_t oy = 0; oy < g.out_h; ++oy) {
      const int64_t top = oy * g.window.stride_h - g.pad_top;
      for (int64_t ox = 0; ox < g.out_w; ++ox, y += g.channels) {
        const int64_t left = ox * g.window.stride_w - g.pad_left;
        const Clipped window = {.y0 = std::max<int64_t>(top, 0),
                                .y1 = std::min(top + g.window.kernel_h, g.in_h),
                                .x0 = std::max<int64_t>(left, 0),
                                .x1 = std::min(left + g.window.kernel_w, g.in_w)};
        pool(image, window, y);
      }
    }
  }
}

}  // namespace

Pool2DParams prepare_pool2d(const Shape& input, AffineParams params, const Window& window,
                            Activation activation) {
  const WindowGeometry geometry = lay_pool("pool2d", window, input);
  constexpr int64_t kMostTaps = int64_t{1} << 23;  // 128 * 2^23 = 2^30: the average's sum fits
  if (window.kernel_h * window.kernel_w > kMostTaps) {
    throw Error(ErrorKind::kUnsupported, {.what = "the window has too many taps for 32-bit sums",
                                          .where = "pool2d",
                                          .expected = concat("at most ", kMostTaps),
                                          .found = concat(window.kernel_h * window.kernel_w)});
  }
  return {.geometry = geometry, .out = output_clamp(activation, params)};
}

void max_pool2d(const Pool2DParams& p, const int8_t* x, int8_t* y) {
  const WindowGeometry& g = p.geometry;
  const auto low = static_cast<int8_t>(p.out.min), high = static_cast<int8_t>(p.out.max);
  for (int64_t n = 0; n < g.batch; ++n) {
    max_pool_int8(g, low, high, x + n * g.in_h * g.in_w * g.channels, y + n * g.out_pixels() * g.channels);
  }
}

void average_pool2d(const Pool2DParams& p, const int8_t* x, int8_t* y) {
  const WindowGeometry& g = p.geometry;
  for_each_window(p, x, y, [&](const int8_t* image, const Clipped& window, int8_t* out) {
    const int32_t count = static_cast<int32_t>((window.y1 - window.y0) * (window.x1 - window.x0));
    for (int64_t c = 0; c < g.channels; ++c) {
      int32_t sum = 0;
      for (int64_t iy = window.y0; iy < window.y1; ++iy)
        for (int64_t ix = window.x0; ix < window.x1; ++ix) sum += image[(iy * g.in_w + ix) * g.channels + c];
      const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
      out[c] = static_cast<int8_t>(std::clamp(mean, p.out.min, p.out.max));
    }
  });
}

}  // namespace qlimit::int8
