// Max pooling of one image, with the place of each maximum remembered for the way back.
//
// A tap is the index ky*KW + kx of an input place inside the window. Taps outside of the image are skipped; of equal
// values the first wins. The loops over channels are innermost and branch-free, so that the compiler makes vectors of
// them; a window's taps are visited one after another for a block of channels that stays in registers or L1.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

// Calls visit(output place, input place, tap) for each output pixel's taps inside the image, in order; places are
// element indices of the first channel.
template <typename Visit>
inline void for_each_tap(const WindowGeometry& g, const Visit& visit) {
  const Window& w = g.window;
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      const int64_t out = (oy * g.out_w + ox) * g.channels;
      bool first = true;
      for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
        const int64_t y = oy * w.stride_h - g.pad_top + ky * w.dilation_h;
        if (y < 0 || y >= g.in_h) continue;
        for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
          const int64_t x = ox * w.stride_w - g.pad_left + kx * w.dilation_w;
          if (x < 0 || x >= g.in_w) continue;
          visit(out, (y * g.in_w + x) * g.channels, static_cast<uint16_t>(ky * w.kernel_w + kx), first);
          first = false;
        }
      }
    }
  }
}

template <int kBytes>
void max_pool(const WindowGeometry& g, const Real* image, Real* output, uint16_t* taps) {
  const int64_t channels = g.channels;
  for_each_tap(g, [=](int64_t out, int64_t in, uint16_t tap, bool first) {
    Real* best = output + out;
    uint16_t* best_tap = taps + out;
    const Real* x = image + in;
    for (int64_t c = 0; c < channels; ++c) {
      const bool wins = first || x[c] > best[c];
      best[c] = wins ? x[c] : best[c];
      best_tap[c] = wins ? tap : best_tap[c];
    }
  });
}

template <int kBytes>
void max_pool_backward(const WindowGeometry& g, const Real* upstream, const uint16_t* taps, Real* dx) {
  const int64_t channels = g.channels;
  for_each_tap(g, [=](int64_t out, int64_t in, uint16_t tap, bool) {
    const Real* from = upstream + out;
    const uint16_t* chosen = taps + out;
    Real* to = dx + in;
    for (int64_t c = 0; c < channels; ++c) to[c] += chosen[c] == tap ? from[c] : Real(0);
  });
}

}  // namespace
}  // namespace qlimit
