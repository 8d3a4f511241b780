// Max pooling of one image, with the place of each maximum remembered for the way back.
//
// A tap is the index ky*KW + kx of an input place inside the window. Taps outside of the image are skipped;
// of equal values the first wins. The loops over channels are innermost and branch-free, so that the compiler
// makes vectors of them; a window's taps are visited one after another for a block of channels that stays in
// registers or L1.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes>
void max_pool(const WindowGeometry& g, const Real* image, Real* output, uint16_t* taps) {
  const int64_t channels = g.channels;
  int64_t previous = -1;
  for_each_tap(g, [&](int64_t out_pixel, int64_t tap, int64_t in_pixel) {
    const bool first = out_pixel != previous;
    previous = out_pixel;
    Real* best = output + out_pixel * channels;
    uint16_t* best_tap = taps + out_pixel * channels;
    const Real* x = image + in_pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const bool wins = first || x[c] > best[c];
      best[c] = wins ? x[c] : best[c];
      best_tap[c] = wins ? static_cast<uint16_t>(tap) : best_tap[c];
    }
  });
}

template <int kBytes>
void max_pool_backward(const WindowGeometry& g, const Real* upstream, const uint16_t* taps, Real* dx) {
  const int64_t channels = g.channels;
  for_each_tap(g, [=](int64_t out_pixel, int64_t tap, int64_t in_pixel) {
    const Real* from = upstream + out_pixel * channels;
    const uint16_t* chosen = taps + out_pixel * channels;
    Real* to = dx + in_pixel * channels;
    for (int64_t c = 0; c < channels; ++c) to[c] += chosen[c] == tap ? from[c] : Real(0);
  });
}

}  // namespace
}  // namespace qlimit
