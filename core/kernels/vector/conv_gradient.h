// The gradient of a convolution's filters, without the patch matrix.
//
//   sums[k, channel] += sum over pixels of patch[pixel, k] * upstream[pixel, channel]
//
// The images lie in lines with a border, as for the convolution itself (vector/conv.h): element k of all
// patches is one walk over the lines. A tile of up to 12 elements k and one or two vectors of channels stays
// in registers while the pixels go by: each loads its vectors of the upstream gradient, which lies as it
// should, and broadcasts 12 neighbouring elements of its patch. 24 products for 14 loads.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// A vector of channels from a pixel that has only `channels` of them.
template <typename V>
inline typename V::Type load_part(const Real* from, int64_t channels) {
  Real whole[V::kLanes] = {};
  for (int64_t i = 0; i < channels; ++i) whole[i] = from[i];
  return V::load(whole);
}

/// kRuns stretches of a patch times kElements elements of each.
template <int kBytes, int kVectors, int kRuns, int kElements, bool kPart>
inline void gradient_tile(const ConvGradientPanel& g, int64_t run, int64_t element) {
  using V = Vector<Real, kBytes>;
  const int64_t run_stride = kRuns > 1 ? g.run_offsets[run + 1] - g.run_offsets[run] : 0;
  typename V::Type sum[kRuns * kElements][kVectors] = {};
  for (int64_t row = 0; row < g.rows; ++row) {
    const Real* x = g.lines + row * g.row_stride + g.run_offsets[run] + element;
    const Real* upstream = g.upstream + row * g.columns * g.pixel_stride;
    for (int64_t column = 0; column < g.columns; ++column, x += g.column_stride, upstream += g.pixel_stride) {
      typename V::Type y[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        if constexpr (kPart) {
          y[v] = load_part<V>(upstream, g.channels);
        } else {
          y[v] = V::load(upstream + v * V::kLanes);
        }
      }
#pragma GCC unroll 3
      for (int r = 0; r < kRuns; ++r) {
#pragma GCC unroll 12
        for (int k = 0; k < kElements; ++k) {
          const auto broadcast = V::broadcast(x[r * run_stride + k]);
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) sum[r * kElements + k][v] += broadcast * y[v];
        }
      }
    }
  }
  for (int r = 0; r < kRuns; ++r) {
    for (int k = 0; k < kElements; ++k) {
      Real* to = g.sums + ((run + r) * g.run_length + element + k) * g.pixel_stride;
      for (int v = 0; v < kVectors; ++v, to += V::kLanes) {
        const auto total = sum[r * kElements + k][v];
        if constexpr (kPart) {
          for (int64_t i = 0; i < g.channels; ++i) to[i] += total[i];
        } else {
          V::store(to, V::load(to) + total);
        }
      }
    }
  }
}

/// As many tiles of kElements as fit into the rest of a stretch.
template <int kBytes, int kVectors, int kElements, bool kPart>
inline void gradient_tiles(const ConvGradientPanel& g, int64_t run, int64_t& element) {
  for (; element + kElements <= g.run_length; element += kElements) {
    gradient_tile<kBytes, kVectors, 1, kElements, kPart>(g, run, element);
  }
}

template <int kBytes, int kVectors, bool kPart>
void gradient_columns(const ConvGradientPanel& g) {
  int64_t run = 0;
  // Grey images have stretches of three elements: three of them fill a tile.
  for (; g.run_length == 3 && g.runs == 3 && run < 3; run += 3) {
    gradient_tile<kBytes, kVectors, 3, 3, kPart>(g, run, 0);
  }
  for (; run < g.runs; ++run) {
    int64_t element = 0;
    gradient_tiles<kBytes, kVectors, kVectorRegisters == 32 ? 12 : 6, kPart>(g, run, element);
    if constexpr (kVectorRegisters == 32) gradient_tiles<kBytes, kVectors, 9, kPart>(g, run, element);
    gradient_tiles<kBytes, kVectors, 4, kPart>(g, run, element);
    gradient_tiles<kBytes, kVectors, 1, kPart>(g, run, element);
  }
}

/// As many channels as `width` says: two vectors, one, or half a one; or fewer, one by one.
template <int kBytes>
void conv_gradient_panel(const ConvGradientPanel& g) {
  constexpr int64_t kLanes = Vector<Real, kBytes>::kLanes;
  if (g.channels == 2 * kLanes) {
    gradient_columns<kBytes, 2, false>(g);
  } else if (g.channels == kLanes) {
    gradient_columns<kBytes, 1, false>(g);
  } else if (g.channels == kLanes / 2) {
    gradient_columns<kBytes / 2, 1, false>(g);
  } else {
    gradient_columns<kBytes, 1, true>(g);
  }
}

}  // namespace
}  // namespace qlimit
