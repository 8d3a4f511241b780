// Depthwise convolution: every channel is filtered by itself, so the lanes are channels.
//
//   sum[pixel, c] = sum over taps of x[tap's place, c] * w[tap, c]
//
// Nothing is shared among channels, so a vector of inputs meets a single vector of weights: taken one by one,
// each product costs two loads, and a processor that multiplies two vectors a cycle loads no more than two.
// (A full convolution uses an input once for each output channel. Here a 3x3 window does 9 multiply-adds for
// each number that is read and each that is written: 2.25 operations a byte in floats, 9 in 8-bit integers,
// and what is done to the finished sums costs as much as the sums.) So this kernel is about loads. A tile is
// up to 8 neighbouring pixels of one vector of channels; a vector of weights is loaded once for all its
// pixels; and without a stride a vector of inputs once for all taps of a row that see it, which makes 10 + 3
// loads for the 24 products of 8 pixels and a row of 3 taps. (With stride 2 half of the inputs are seen only
// once, and to share the others gains nothing.)
//
// Images lie in lines with a border, as for the full convolution (vector/conv.h), so there are no edges.
// 8-bit inputs are widened to 32-bit lanes as they are loaded, of which pmaddwd (with VNNI vpdpwssd, which
// adds too) multiplies the lower halves. The sums are exact.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/dot_float.h"
#include "core/kernels/vector/dot_int8.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes>
struct DepthwiseFloat : FloatSums<kBytes> {
  using V = Vector<Real, kBytes>;
  using Sum = typename V::Type;
  using Input = Sum;
  static constexpr int64_t kLanes = V::kLanes;
  static constexpr int kColumns = kVectorRegisters == 32 ? 8 : 4;  // of a tile: what the registers hold

  static Input load(const Real* x) { return V::load(x); }
  static Input filter(const Real* w) { return V::load(w); }
  static Sum dot(Sum sum, Input x, Input w) { return sum + x * w; }
  static Sum finish(Sum sum) { return sum; }
};

template <typename L>
struct DepthwiseInt8 {
  using Words = Vector<int32_t, 4 * L::kLanes>;
  using Sum = typename Words::Type;  // and not the type of the intrinsics: see Quads512
  using Input = typename L::Type;
  static constexpr int64_t kLanes = L::kLanes;
  static constexpr int kColumns = L::kLanes == 16 ? 8 : 4;

  static Input load(const int8_t* x) { return L::load_bytes(x); }
  static Input filter(const int32_t* w) { return L::load(w); }
  static Sum dot(Sum sum, Input x, Input w) {
    return reinterpret_cast<Sum>(multiply_add_words<L>(reinterpret_cast<Input>(sum), x, w));
  }
  static typename L::Type finish(Sum sum) { return reinterpret_cast<typename L::Type>(sum); }
  template <typename Body>
  static void with_output(const DepthwiseInt8Panel& g, int64_t c, const Body& body) {
    with_integer_output<L>(g, c, body);
  }
};

/// kColumns pixels of one vector of channels. A row of the window has kTaps taps, and a pixel's window begins
/// one tap behind that of the pixel before, so that their inputs are the same vectors. With kTaps = 0 both
/// are any numbers, and each tap loads its inputs.
template <typename Tap, int kTaps, int kColumns, typename Panel>
inline void depthwise_tile(const Panel& g, int64_t row, int64_t column, int64_t c) {
  typename Tap::Sum sum[kColumns];
  clear(sum);
  const auto* x = g.lines + row * g.row_stride + column * g.column_stride + c;
  const auto* w = g.filters + c * g.kernel_h * g.kernel_w;
  for (int64_t ky = 0; ky < g.kernel_h; ++ky, x += g.line_step) {
    if constexpr (kTaps > 0) {
      constexpr int kInputs = kColumns - 1 + kTaps;
      typename Tap::Input input[kInputs];
#pragma GCC unroll 12
      for (int i = 0; i < kInputs; ++i) input[i] = Tap::load(x + i * g.tap_step);
#pragma GCC unroll 5
      for (int kx = 0; kx < kTaps; ++kx, w += Tap::kLanes) {
        const auto filter = Tap::filter(w);
#pragma GCC unroll 8
        for (int i = 0; i < kColumns; ++i) sum[i] = Tap::dot(sum[i], input[i + kx], filter);
      }
    } else {
      for (int64_t kx = 0; kx < g.kernel_w; ++kx, w += Tap::kLanes) {
        const auto filter = Tap::filter(w);
#pragma GCC unroll 8
        for (int i = 0; i < kColumns; ++i) {
          sum[i] = Tap::dot(sum[i], Tap::load(x + i * g.column_stride + kx * g.tap_step), filter);
        }
      }
    }
  }
  Tap::with_output(g, c, [&](const auto& output) {
#pragma GCC unroll 8
    for (int i = 0; i < kColumns; ++i) output.store(row * g.columns + column + i, Tap::finish(sum[i]));
  });
}

/// The same for all channels: whole vectors, and what is left in one of half the length, or in a last whole
/// one.
template <typename Wide, typename Narrow, int kTaps, int kColumns, typename Panel>
inline void depthwise_channels(const Panel& g, int64_t row, int64_t column) {
  int64_t c = 0;
  for (; c + Narrow::kLanes < g.channels; c += Wide::kLanes) {
    depthwise_tile<Wide, kTaps, kColumns>(g, row, column, c);
  }
  if (c < g.channels) depthwise_tile<Narrow, kTaps, kColumns>(g, row, column, c);
}

/// The last tile of a row begins before the end of the one before it, if it has to: what both compute is the
/// same.
template <typename Wide, typename Narrow, int kTaps, typename Panel>
void depthwise_rows(const Panel& g) {
  constexpr int kWidest = Wide::kColumns;
  for (int64_t row = 0; row < g.rows; ++row) {
    int64_t column = 0;
    for (; column + kWidest <= g.columns; column += kWidest) {
      depthwise_channels<Wide, Narrow, kTaps, kWidest>(g, row, column);
    }
    if (g.columns < 4) {
      for (; column < g.columns; ++column) depthwise_channels<Wide, Narrow, 0, 1>(g, row, column);
    }
    for (; column < g.columns; column += 4) {
      depthwise_channels<Wide, Narrow, kTaps, 4>(g, row, smaller(column, g.columns - 4));
    }
  }
}

template <typename Wide, typename Narrow, typename Panel>
void depthwise(const Panel& g) {
  const bool side_by_side = g.column_stride == g.tap_step;
  if (side_by_side && g.kernel_w == 3) {
    depthwise_rows<Wide, Narrow, 3>(g);
  } else if (side_by_side && g.kernel_w == 5) {
    depthwise_rows<Wide, Narrow, 5>(g);
  } else {
    depthwise_rows<Wide, Narrow, 0>(g);
  }
}

template <int kBytes>
void depthwise_float(const DepthwisePanel& g) {
  depthwise<DepthwiseFloat<kBytes>, DepthwiseFloat<kBytes / 2> >(g);
}

inline void depthwise_int8(const DepthwiseInt8Panel& g) {
  depthwise<DepthwiseInt8<WideLanes>, DepthwiseInt8<HalfLanes> >(g);
}

}  // namespace
}  // namespace qlimit
