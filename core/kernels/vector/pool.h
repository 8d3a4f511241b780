// Max pooling of one image, with the place of each maximum remembered for the way back.
//
// A tap is the index ky*KW + kx of an input place inside the window. Taps outside of the image are skipped;
// of equal values the first wins. The taps of the maxima are kept as Real numbers: then values and taps fill
// vectors of the same length, and one comparison selects both.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/channel.h"

namespace qlimit {
namespace {

// Calls body(output element, first input element, tap rows begin and end, tap columns begin and end) for each
// output pixel; the input element, of tap (0,0), may lie outside of the image, the taps in the ranges do not.
template <typename Body>
inline void for_each_window(WindowGeometry g, const Body& body) {
  const Window& w = g.window;
  const auto range = [](int64_t start, int64_t kernel, int64_t dilation, int64_t size, int64_t& begin,
                        int64_t& end) {
    begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
    end = smaller(kernel, (size - start + dilation - 1) / dilation);
  };
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    const int64_t y = oy * w.stride_h - g.pad_top;
    int64_t ky_begin, ky_end;
    range(y, w.kernel_h, w.dilation_h, g.in_h, ky_begin, ky_end);
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      const int64_t x = ox * w.stride_w - g.pad_left;
      int64_t kx_begin, kx_end;
      range(x, w.kernel_w, w.dilation_w, g.in_w, kx_begin, kx_end);
      body((oy * g.out_w + ox) * g.channels, (y * g.in_w + x) * g.channels, ky_begin, ky_end, kx_begin,
           kx_end);
    }
  }
}

template <int kBytes>
void max_pool(const WindowGeometry& g, const Real* image, Real* output, Real* taps) {
  const Window& w = g.window;
  for_each_window(g, [&](int64_t out, int64_t in, int64_t ky_begin, int64_t ky_end, int64_t kx_begin,
                         int64_t kx_end) {
    for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
      using V = Vector<Real, kPiece>;
      typename V::Type best = {}, best_tap = V::broadcast(-1);
      for (int64_t ky = ky_begin; ky < ky_end; ++ky) {
        for (int64_t kx = kx_begin; kx < kx_end; ++kx) {
          const int64_t pixel = ky * w.dilation_h * g.in_w + kx * w.dilation_w;
          const auto x = V::load(image + in + pixel * g.channels + c);
          const auto wins = (x > best) | (best_tap < V::broadcast(0)) | (x != x);  // what is no number wins
          best = wins ? x : best;
          best_tap = wins ? V::broadcast(static_cast<Real>(ky * w.kernel_w + kx)) : best_tap;
        }
      }
      V::store(output + out + c, best);
      V::store(taps + out + c, best_tap);
    });
  });
}

template <int kBytes>
void max_pool_backward(const WindowGeometry& g, const Real* upstream, const Real* taps, Real* dx) {
  const Window& w = g.window;
  for_each_window(
      g, [&](int64_t out, int64_t in, int64_t ky_begin, int64_t ky_end, int64_t kx_begin, int64_t kx_end) {
        for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
          using V = Vector<Real, kPiece>;
          const auto gradient = V::load(upstream + out + c);
          const auto chosen = V::load(taps + out + c);
          for (int64_t ky = ky_begin; ky < ky_end; ++ky) {
            for (int64_t kx = kx_begin; kx < kx_end; ++kx) {
              const int64_t pixel = ky * w.dilation_h * g.in_w + kx * w.dilation_w;
              Real* to = dx + in + pixel * g.channels + c;
              const auto here = chosen == V::broadcast(static_cast<Real>(ky * w.kernel_w + kx));
              V::store(to, V::load(to) + (here ? gradient : typename V::Type{}));
            }
          }
        });
      });
}

// Calls body.operator()<bytes>(output element, input element, channel) for each piece of the channels of each
// 2x2 window, which all lie inside the image side by side.
template <int kBytes, typename Body>
inline void for_each_square(const WindowGeometry& g, const Body& body) {
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      const int64_t out = (oy * g.out_w + ox) * g.channels, in = (oy * g.in_w + ox) * 2 * g.channels;
      for_each_piece<Real, kBytes>(
          g.channels, [&]<int kPiece>(int64_t c) { body.template operator()<kPiece>(out + c, in + c, c); });
    }
  }
}

// The largest of the mapped values; x at its place goes to `peaks`, from which the gradients of the map's
// parameters are summed later without another look at the image.
template <int kBytes>
void map_and_pool(const WindowGeometry& g, const Real* image, const ChannelMapping& map, Real* output,
                  Real* peaks, Real* taps) {
  const int64_t pixels[4] = {0, g.channels, g.in_w * g.channels, (g.in_w + 1) * g.channels};
  for_each_square<kBytes>(g, [&]<int kPiece>(int64_t out, int64_t in, int64_t c) {
    using V = Vector<Real, kPiece>;
    auto peak = V::load(image + in);
    auto best = unclamped<V>(map, peak, c);
    typename V::Type best_tap = {};
#pragma GCC unroll 3
    for (int tap = 1; tap < 4; ++tap) {
      const auto x = V::load(image + in + pixels[tap]);
      const auto y = unclamped<V>(map, x, c);
      const auto wins = (y > best) | (y != y);
      best = wins ? y : best;
      peak = wins ? x : peak;
      best_tap = wins ? V::broadcast(static_cast<Real>(tap)) : best_tap;
    }
    V::store(output + out, clamped<V>(map, best));
    V::store(peaks + out, peak);
    V::store(taps + out, best_tap);
  });
}

template <int kBytes>
void map_and_pool_backward(const WindowGeometry& g, const Real* image, const ChannelMapping& map,
                           const Real* upstream, const Real* taps, const ChannelMappingGradient& gradient,
                           Real* dx) {
  const int64_t pixels[4] = {0, g.channels, g.in_w * g.channels, (g.in_w + 1) * g.channels};
  for_each_square<kBytes>(g, [&]<int kPiece>(int64_t out, int64_t in, int64_t c) {
    using V = Vector<Real, kPiece>;
    const auto above = V::load(upstream + out), chosen = V::load(taps + out);
#pragma GCC unroll 4
    for (int tap = 0; tap < 4; ++tap) {
      const auto x = V::load(image + in + pixels[tap]);
      const auto passes = is_inside<V>(map, x, c) & (chosen == V::broadcast(static_cast<Real>(tap)));
      V::store(dx + in + pixels[tap], input_gradient<V>(gradient, x, passes ? above : typename V::Type{}, c));
    }
  });
}

// The integer form: no gradient, so no taps, and a clamp for the activation that is fused into the pool.
template <int kBytes>
void max_pool_int8(const WindowGeometry& g, int8_t low, int8_t high, const int8_t* image, int8_t* output) {
  const Window& w = g.window;
  for_each_window(
      g, [&](int64_t out, int64_t in, int64_t ky_begin, int64_t ky_end, int64_t kx_begin, int64_t kx_end) {
        // 16 bytes at most: few channels are the usual case.
        for_each_piece<int8_t, 16>(g.channels, [&]<int kPiece>(int64_t c) {
          using V = Vector<int8_t, kPiece>;
          typename V::Type best = V::broadcast(low);
          for (int64_t ky = ky_begin; ky < ky_end; ++ky) {
            for (int64_t kx = kx_begin; kx < kx_end; ++kx) {
              const int64_t pixel = ky * w.dilation_h * g.in_w + kx * w.dilation_w;
              best = V::max(best, V::load(image + in + pixel * g.channels + c));
            }
          }
          V::store(output + out + c, V::min(best, V::broadcast(high)));
        });
      });
}

}  // namespace
}  // namespace qlimit
