// The convolution without the patch matrix: a tile of pixels times channels stays in registers.
//
//   sum[pixel, channel] = sum over k of patch[pixel, k] * filter[channel, k]
//
// The image lies in lines with a border (vector/lines.h). In such lines a patch needs no gathering:
// it is KH stretches of KW*C neighbouring elements, and the patch of the next pixel begins stride * C
// elements behind it. So a step of the inner loop broadcasts the next element of each of the tile's pixels
// from where it lies, loads one or two vectors of filters, and multiplies. What an element is, and how a
// vector of sums takes it, is said by a "dot" (vector/dot_float.h, dot_int8.h): one float, or a few bytes.
//
// A tile has up to 16 vectors of sums: 2x8 pixels of one vector of channels or 2x4 of two. Each step then
// costs 8 to 16 broadcasts and one or two loads for 16 products, so the multipliers are the limit, not the
// loads; and 16 independent sums hide a product's latency. Where there are only 16 registers, 12 of them are
// floats' sums, 2x3 pixels of two vectors: 8 would just hide the latency, and leave nothing to a second
// thread on the same core.
//
// What is done to a sum is done while it is in the register: bias, clamp, requantization. If a 2x2 max pool
// follows, it comes first, on the sums: none of these makes the greater of two numbers the smaller one, so
// max(f(a), f(b)) = f(max(a, b)), and three of four are saved.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// Stores vector kVector of a tile's sums, pooled or not. (A constant: sums that a variable chooses from are put
/// into memory.)
template <typename Dot, int kVector, int kRows, int kColumns, bool kPool, typename Panel, typename Sums>
inline void store_tile(const Panel& g, int64_t row, int64_t column, const Sums& sum) {
  Dot::with_output(g, kVector * Dot::kChannels, [&](const auto& output) {
    if constexpr (kPool) {
      const int64_t pixel = row / 2 * (g.columns / 2) + column / 2;
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; c += 2) {
        const auto above = Dot::max(Dot::finish(sum[c][kVector]), Dot::finish(sum[c + 1][kVector]));
        const auto below =
            Dot::max(Dot::finish(sum[kColumns + c][kVector]), Dot::finish(sum[kColumns + c + 1][kVector]));
        output.store(pixel + c / 2, Dot::max(above, below));
      }
    } else {
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        const int64_t pixel = (row + r) * g.columns + column;
#pragma GCC unroll 8
        for (int c = 0; c < kColumns; ++c) {
          output.store(pixel + c, Dot::finish(sum[r * kColumns + c][kVector]));
        }
      }
    }
  });
}

/// The tile whose first pixel has its patch at x and its sums at (row, column).
template <typename Dot, int kVectors, int kRows, int kColumns, bool kPool, typename Panel>
inline void conv_tile(const Panel& g, int64_t row, int64_t column) {
  const auto* x =
      reinterpret_cast<const typename Dot::Element*>(g.lines) + row * g.row_stride + column * g.column_stride;
  typename Dot::Sum sum[kRows * kColumns][kVectors];
  clear(sum);
  const std::byte* w = g.filters;
  // Where the first pixel of each row is read. A pointer for each, and the offsets of a row's other pixels are few
  // enough for the registers.
  const typename Dot::Element* at[kRows];
  const auto step = [&](const auto& broadcast) {
    typename Dot::Filter filter[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) filter[v] = Dot::load(w + v * Dot::kFilterBytes);
    w += kVectors * Dot::kFilterBytes;
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) {
        const typename Dot::Input input = broadcast(at[r] + c * g.column_stride);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          sum[r * kColumns + c][v] = Dot::dot(sum[r * kColumns + c][v], input, filter[v]);
        }
      }
      at[r] += Dot::kDepth;
    }
  };
  for (int64_t run = 0; run < g.runs; ++run) {
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) at[r] = x + g.run_offsets[run] + r * g.row_stride;
    int64_t k = 0;
    for (; k + Dot::kDepth <= g.run_length; k += Dot::kDepth) {
      step([](const auto* from) { return Dot::broadcast(from); });
    }
    if (k < g.run_length) step([&](const auto* from) { return Dot::broadcast_last(from); });
  }
  store_tile<Dot, 0, kRows, kColumns, kPool>(g, row, column, sum);
  if constexpr (kVectors == 2) store_tile<Dot, 1, kRows, kColumns, kPool>(g, row, column, sum);
}

/// A strip of kRows rows, in tiles as wide as the registers allow, then in narrower ones.
template <typename Dot, int kVectors, int kRows, bool kPool, typename Panel>
inline void conv_strip(const Panel& g, int64_t row) {
  constexpr int kFitting = Dot::kRegisters / kVectors / kRows;
  constexpr int kWidest = kFitting > 8 ? 8 : kPool ? kFitting / 2 * 2 : kFitting;
  int64_t column = 0;
  for (; column + kWidest <= g.columns; column += kWidest) {
    conv_tile<Dot, kVectors, kRows, kWidest, kPool>(g, row, column);
  }
  if constexpr (kWidest > 4) {
    for (; column + 4 <= g.columns; column += 4) conv_tile<Dot, kVectors, kRows, 4, kPool>(g, row, column);
  }
  if constexpr (kWidest > 2) {
    for (; column + 2 <= g.columns; column += 2) conv_tile<Dot, kVectors, kRows, 2, kPool>(g, row, column);
  }
  if constexpr (!kPool) {
    for (; column < g.columns; ++column) conv_tile<Dot, kVectors, kRows, 1, kPool>(g, row, column);
  }
}

template <typename Dot, int kVectors, typename Panel>
void conv_columns(const Panel& g) {
  int64_t row = 0;
  for (; row + 2 <= g.rows; row += 2) {
    if (g.max_pool) {
      conv_strip<Dot, kVectors, 2, true>(g, row);
    } else {
      conv_strip<Dot, kVectors, 2, false>(g, row);
    }
  }
  if (row < g.rows) conv_strip<Dot, kVectors, 1, false>(g, row);
}

/// Panels of two vectors or one of `Wide`, or of one `Narrow`, which has half as many channels.
template <typename Wide, typename Narrow>
struct Convolution {
  static constexpr int64_t kWidths[3] = {2 * Wide::kChannels, Wide::kChannels, Narrow::kChannels};

  template <typename Panel>
  static void run(const Panel& g) {
    if (g.width == kWidths[0]) {
      conv_columns<Wide, 2>(g);
    } else if (g.width == kWidths[1]) {
      conv_columns<Wide, 1>(g);
    } else {
      conv_columns<Narrow, 1>(g);
    }
  }

  static int64_t filter_bytes(int64_t width, int64_t runs, int64_t run_length) {
    const bool narrow = width == kWidths[2];
    const int64_t depth = narrow ? Narrow::kDepth : Wide::kDepth;
    const int64_t step = narrow ? Narrow::kFilterBytes : width / Wide::kChannels * Wide::kFilterBytes;
    return runs * ((run_length + depth - 1) / depth) * step;
  }

  template <typename Weight>
  static void pack(int64_t width, int64_t runs, int64_t run_length, int64_t channels, const Weight* weights,
                   std::byte* filters) {
    if (width == kWidths[2]) {
      pack_columns<Narrow, 1>(runs, run_length, channels, weights, filters);
    } else if (width == kWidths[1]) {
      pack_columns<Wide, 1>(runs, run_length, channels, weights, filters);
    } else {
      pack_columns<Wide, 2>(runs, run_length, channels, weights, filters);
    }
  }

  static constexpr ConvPacking packing() {
    return {.widths = {kWidths[0], kWidths[1], kWidths[2]},
            .narrow_is_whole = Narrow::kDepth > Wide::kDepth,
            .filter_bytes = filter_bytes};
  }

 private:
  template <typename Dot, int kVectors, typename Weight>
  static void pack_columns(int64_t runs, int64_t run_length, int64_t channels, const Weight* weights,
                           std::byte* filters) {
    for (int64_t run = 0; run < runs; ++run) {
      for (int64_t k = 0; k < run_length; k += Dot::kDepth, filters += kVectors * Dot::kFilterBytes) {
        for (int64_t c = 0; c < channels; ++c) {
          for (int64_t i = 0; i < smaller(Dot::kDepth, run_length - k); ++i) {
            Dot::place(filters + c / Dot::kChannels * Dot::kFilterBytes, c % Dot::kChannels, i,
                       weights[(c * runs + run) * run_length + k + i]);
          }
        }
      }
    }
  }
};

}  // namespace
}  // namespace qlimit
