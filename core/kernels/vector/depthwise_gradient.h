// The gradients of a depthwise convolution: of its filters, and of its input.
//
//   filters:  sums[tap, c] += x[tap's place, c] * upstream[pixel, c]
//   input:    x[tap's place, c] += w[tap, c] * upstream[pixel, c]
//
// Images lie in lines with a border, so every tap has a place. The filters' gradient keeps the sums of up to
// 9 taps, the whole of a 3x3 window, in registers while the pixels go by: 10 loads for 9 products, and 9 sums
// that do not wait for each other. The input's is scattered, which costs a load and a store for each product:
// it is for windows with a stride, where there are few pixels. Without a stride it is a depthwise convolution
// itself (core/kernels/depthwise.h).
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes, int kTaps>
inline void depthwise_gradient_tile(const DepthwiseGradientPanel& g, int64_t tap, int64_t c) {
  using V = Vector<Real, kBytes>;
  typename V::Type sum[kTaps];
  clear(sum);
  int64_t offsets[kTaps];
  for (int k = 0; k < kTaps; ++k) offsets[k] = g.tap_offsets[tap + k];
  const Real* upstream = g.upstream + c;
  for (int64_t row = 0; row < g.rows; ++row) {
    const Real* x = g.lines + row * g.row_stride + c;
    for (int64_t column = 0; column < g.columns; ++column, x += g.column_stride, upstream += g.channels) {
      const auto y = V::load(upstream);
#pragma GCC unroll 9
      for (int k = 0; k < kTaps; ++k) sum[k] += V::load(x + offsets[k]) * y;
    }
  }
  for (int k = 0; k < kTaps; ++k) {
    Real* to = g.sums + (tap + k) * g.channels + c;
    V::store(to, V::load(to) + sum[k]);
  }
}

template <int kBytes>
void depthwise_gradient(const DepthwiseGradientPanel& g) {
  for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
    int64_t tap = 0;
    for (; tap + 9 <= g.taps; tap += 9) depthwise_gradient_tile<kPiece, 9>(g, tap, c);
    for (; tap + 3 <= g.taps; tap += 3) depthwise_gradient_tile<kPiece, 3>(g, tap, c);
    for (; tap < g.taps; ++tap) depthwise_gradient_tile<kPiece, 1>(g, tap, c);
  });
}

template <int kBytes>
void depthwise_scatter(const DepthwiseScatterPanel& g) {
  const Real* upstream = g.upstream;
  for (int64_t row = 0; row < g.rows; ++row) {
    Real* x = g.lines + row * g.row_stride;
    for (int64_t column = 0; column < g.columns; ++column, x += g.column_stride, upstream += g.channels) {
      for_each_piece<Real, kBytes>(g.channels, [&]<int kPiece>(int64_t c) {
        using V = Vector<Real, kPiece>;
        const auto y = V::load(upstream + c);
        for (int64_t tap = 0; tap < g.taps; ++tap) {
          Real* to = x + g.tap_offsets[tap] + c;
          V::store(to, V::load(to) + V::load(g.weights + tap * g.channels + c) * y);
        }
      });
    }
  }
}

}  // namespace
}  // namespace qlimit
