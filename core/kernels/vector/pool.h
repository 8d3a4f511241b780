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

// Calls body(output element, input element) for each of the 2x2 windows that an image [H,W,C] consists of,
// both of channel 0.
template <typename Body>
inline void for_each_square(const WindowGeometry& g, const Body& body) {
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      body((oy * g.out_w + ox) * g.channels, (oy * g.in_w + ox) * 2 * g.channels);
    }
  }
}

// A ChannelMapping for the channels of one vector, in registers.
template <typename V>
struct VectorMapping {
  using Type = typename V::Type;
  Type scale, shift, low, high;

  VectorMapping(const ChannelMapping& map, int64_t c)
      : scale(V::load(map.scale + c)),
        shift(V::load(map.shift + c)),
        low(V::broadcast(map.low)),
        high(V::broadcast(map.high)) {}
  Type unclamped(Type x) const { return x * scale + shift; }
  Type clamped(Type y) const { return V::min(high, V::max(low, y)); }
};

// The largest of the mapped values; x at its place goes to `peaks`, from which the gradients of the map's
// parameters are summed later without another look at the image. Channels are the outer loop: what belongs to
// them stays in registers.
template <int kBytes>
void map_and_pool(const WindowGeometry& g, const Real* image, const ChannelMapping& map, Real* output,
                  Real* peaks, Real* taps) {
  const int64_t right = g.channels, below = g.in_w * g.channels;
  for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
    using V = Vector<Real, kPiece>;
    const VectorMapping<V> mapping(map, c);
    for_each_square(g, [&](int64_t out, int64_t in) {
      const Real* pixels[4] = {image, image + right, image + below, image + below + right};
      auto peak = V::load(pixels[0] + in + c);
      auto best = mapping.unclamped(peak);
      typename V::Type best_tap = {};
#pragma GCC unroll 3
      for (int tap = 1; tap < 4; ++tap) {
        const auto x = V::load(pixels[tap] + in + c);
        const auto y = mapping.unclamped(x);
        const auto wins = (y > best) | (y != y);  // what is no number wins, and stays
        best = wins ? y : best;
        peak = wins ? x : peak;
        best_tap = wins ? V::broadcast(static_cast<Real>(tap)) : best_tap;
      }
      V::store(output + out + c, mapping.clamped(best));
      V::store(peaks + out + c, peak);
      V::store(taps + out + c, best_tap);
    });
  });
}

template <int kBytes>
void map_and_pool_backward(const WindowGeometry& g, const Real* image, const ChannelMapping& map,
                           const Real* upstream, const Real* taps, const ChannelMappingGradient& gradient,
                           Real* dx) {
  const int64_t right = g.channels, below = g.in_w * g.channels;
  for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
    using V = Vector<Real, kPiece>;
    const VectorMapping<V> mapping(map, c);
    const auto upstream_scale = V::load(gradient.upstream_scale + c), x_scale = V::load(gradient.x_scale + c);
    const auto shift = V::load(gradient.shift + c);
    for_each_square(g, [&](int64_t out, int64_t in) {
      const int64_t pixels[4] = {0, right, below, below + right};
      // The image has left the near caches since the forward pass, and its lines are short: the processor
      // does not foresee the next two in time.
      __builtin_prefetch(image + in + 2 * below + c);
      __builtin_prefetch(image + in + 3 * below + c);
      const auto scaled = V::load(upstream + out + c) * upstream_scale;
      const auto chosen = V::load(taps + out + c);
#pragma GCC unroll 4
      for (int tap = 0; tap < 4; ++tap) {
        const auto x = V::load(image + in + pixels[tap] + c);
        const auto y = mapping.unclamped(x);
        const auto rest = x * x_scale + shift;
        auto passed = chosen == V::broadcast(static_cast<Real>(tap)) ? scaled : typename V::Type{};
        passed = y > mapping.low ? passed : typename V::Type{};
        passed = y < mapping.high ? passed : typename V::Type{};
        V::store(dx + in + pixels[tap] + c, rest + passed);
      }
    });
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
