// The integer convolution without the patch matrix: a tile of pixels times channels stays in registers.
//
//   sum[pixel, channel] = sum over k of patch[pixel, k] * filter[channel, k]
//
// The image lies in lines of bytes with a border (int8_lines below). In such lines a patch needs no
// gathering: it is KH stretches of KW*C neighbouring bytes, and the patch of the next pixel begins
// stride * C bytes behind it. So a step of the inner loop broadcasts four bytes of each of the tile's pixels
// from where they lie, loads the filters' four bytes of 16 channels, and multiplies (dot_lanes.h). The last
// step of a stretch may read bytes that belong to the next pixel: their weights are 0.
//
// A tile has up to 16 vectors of sums: 2x8 pixels of one vector of channels or 2x4 of two. Each step then
// costs 8 to 16 broadcasts and one or two loads for 16 products, so the multipliers are the limit, not the
// loads; and 16 independent sums hide a product's latency.
//
// What is done to a sum is done while it is in the register: bias, requantization, clamp. If a 2x2 max
// pool follows, it comes first, on the sums: requantization never makes the greater of two numbers the
// smaller one, so max(requantize(a), requantize(b)) = requantize(max(a, b)), and three requantizations of
// four are saved.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/dot_lanes.h"
#include "core/kernels/vector/requantize.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

#if defined(__AVX512VNNI__)
using WideDot = Dot512;
using NarrowDot = Dot512Pairs;
#elif defined(__AVX512BW__)
using WideDot = DotPairs<Lanes512>;
using NarrowDot = DotPairs<Lanes256>;
#elif defined(__AVX2__)
using WideDot = DotPairs<Lanes256>;
using NarrowDot = DotPairs<Lanes128>;
#else
using WideDot = DotPairs<Lanes128>;
using NarrowDot = DotPairs<Lanes128>;
#endif

template <typename D>
inline void store_sums(const ConvInt8Panel& g, int64_t pixel, int64_t c, typename D::Lanes::Type sums) {
  using L = typename D::Lanes;
  if (g.scales) {
    const auto y = requantized<L>(*g.scales, sums, c);
    store_bytes<L>(g.channels - c, y, g.out + pixel * g.pixel_stride + c);
  } else {
    L::store(g.sums + pixel * g.pixel_stride + c, sums);
  }
}

/// The tile whose first pixel has its patch at x and its sums at (row, column).
template <typename D, int kVectors, int kRows, int kColumns, bool kPool>
inline void conv_int8_tile(const ConvInt8Panel& g, int64_t row, int64_t column) {
  using L = typename D::Lanes;
  constexpr int kPixels = kRows * kColumns;
  const uint8_t* x = g.lines + row * g.row_stride + column * g.column_stride;
  typename D::Sum sum[kPixels][kVectors] = {};
  const int8_t* w = g.filters;
  for (int64_t run = 0; run < g.runs; ++run) {
    const uint8_t* at = x + g.run_offsets[run];
    for (int64_t k = 0; k < g.run_bytes; k += D::kDepth, at += D::kDepth, w += kVectors * D::kFilterBytes) {
      typename D::Filter filter[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) filter[v] = D::load(w + v * D::kFilterBytes);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
        for (int c = 0; c < kColumns; ++c) {
          const typename D::Input input = D::broadcast(at + r * g.row_stride + c * g.column_stride);
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) {
            sum[r * kColumns + c][v] = D::dot(sum[r * kColumns + c][v], input, filter[v]);
          }
        }
      }
    }
  }
  if constexpr (kPool) {
    const int64_t pixel = row / 2 * (g.columns / 2) + column / 2;
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; c += 2) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const auto above = L::max(D::finish(sum[c][v]), D::finish(sum[c + 1][v]));
        const auto below = L::max(D::finish(sum[kColumns + c][v]), D::finish(sum[kColumns + c + 1][v]));
        store_sums<D>(g, pixel + c / 2, v * D::kChannels, L::max(above, below));
      }
    }
  } else {
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          store_sums<D>(g, (row + r) * g.columns + column + c, v * D::kChannels,
                        D::finish(sum[r * kColumns + c][v]));
        }
      }
    }
  }
}

/// A strip of kRows rows, in tiles as wide as the registers allow, then in narrower ones.
template <typename D, int kVectors, int kRows, bool kPool>
inline void conv_int8_strip(const ConvInt8Panel& g, int64_t row) {
  constexpr int kWidest = D::kRegisters / kVectors / kRows < 8 ? D::kRegisters / kVectors / kRows : 8;
  int64_t column = 0;
  for (; column + kWidest <= g.columns; column += kWidest) {
    conv_int8_tile<D, kVectors, kRows, kWidest, kPool>(g, row, column);
  }
  if constexpr (kWidest > 4) {
    for (; column + 4 <= g.columns; column += 4) conv_int8_tile<D, kVectors, kRows, 4, kPool>(g, row, column);
  }
  if constexpr (kWidest > 2) {
    for (; column + 2 <= g.columns; column += 2) conv_int8_tile<D, kVectors, kRows, 2, kPool>(g, row, column);
  }
  if constexpr (!kPool) {
    for (; column < g.columns; ++column) conv_int8_tile<D, kVectors, kRows, 1, kPool>(g, row, column);
  }
}

template <typename D, int kVectors>
void conv_int8_columns(const ConvInt8Panel& g) {
  int64_t row = 0;
  for (; row + 2 <= g.rows; row += 2) {
    if (g.max_pool) {
      conv_int8_strip<D, kVectors, 2, true>(g, row);
    } else {
      conv_int8_strip<D, kVectors, 2, false>(g, row);
    }
  }
  if (row < g.rows) conv_int8_strip<D, kVectors, 1, false>(g, row);
}

inline void conv_int8_panel(const ConvInt8Panel& g) {
  if (g.width == 2 * WideDot::kChannels) {
    conv_int8_columns<WideDot, 2>(g);
  } else if (g.width == WideDot::kChannels) {
    conv_int8_columns<WideDot, 1>(g);
  } else {
    conv_int8_columns<NarrowDot, 1>(g);
  }
}

template <typename D, int kVectors>
inline int64_t filter_steps_bytes(int64_t runs, int64_t run_bytes) {
  return runs * ((run_bytes + D::kDepth - 1) / D::kDepth) * kVectors * D::kFilterBytes;
}

/// Bytes of a panel of filters.
inline int64_t conv_int8_filter_bytes(int64_t width, int64_t runs, int64_t run_bytes) {
  if (width == 2 * WideDot::kChannels) return filter_steps_bytes<WideDot, 2>(runs, run_bytes);
  if (width == WideDot::kChannels) return filter_steps_bytes<WideDot, 1>(runs, run_bytes);
  return filter_steps_bytes<NarrowDot, 1>(runs, run_bytes);
}

template <typename D, int kVectors>
void pack_columns(int64_t runs, int64_t run_bytes, int64_t channels, const int8_t* weights, int8_t* filters) {
  for (int64_t run = 0; run < runs; ++run) {
    for (int64_t k = 0; k < run_bytes; k += D::kDepth, filters += kVectors * D::kFilterBytes) {
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t i = 0; i < smaller(D::kDepth, run_bytes - k); ++i) {
          D::place(filters + c / D::kChannels * D::kFilterBytes, c % D::kChannels, i,
                   weights[(c * runs + run) * run_bytes + k + i]);
        }
      }
    }
  }
}

/// weights: [channels, runs, run_bytes], channels <= width; filters: zeros, conv_int8_filter_bytes of them.
inline void pack_conv_int8(int64_t width, int64_t runs, int64_t run_bytes, int64_t channels,
                           const int8_t* weights, int8_t* filters) {
  if (width == 2 * WideDot::kChannels) {
    pack_columns<WideDot, 2>(runs, run_bytes, channels, weights, filters);
  } else if (width == WideDot::kChannels) {
    pack_columns<WideDot, 1>(runs, run_bytes, channels, weights, filters);
  } else {
    pack_columns<NarrowDot, 1>(runs, run_bytes, channels, weights, filters);
  }
}

/// Lines of border, and the image's rows on them, as x + 128: flipping the highest bit.
inline void int8_lines(const Int8Lines& l) {
  __builtin_memset(l.lines, l.border, static_cast<size_t>(l.total_bytes));
  for (int64_t row = 0; row < l.rows; ++row) {
    const auto* from = reinterpret_cast<const uint8_t*>(l.image) + row * l.image_stride;
    uint8_t* to = l.lines + l.begin + row * l.line_bytes;
    for_each_piece<uint8_t, 64>(l.row_bytes, [&]<int kPiece>(int64_t i) {
      using V = Vector<uint8_t, kPiece>;
      V::store(to + i, V::load(from + i) ^ V::broadcast(0x80));
    });
  }
}

}  // namespace
}  // namespace qlimit
