// The gradient of a convolution's filters, without the patch matrix.
//
//   sums[channel, k] += sum over pixels of upstream[pixel, channel] * patch[pixel, k]
//
// The images lie in lines with a border, as for the convolution itself (vector/conv.h): the patch of the next
// pixel begins stride * C elements behind. A patch is cut into vectors, whose lanes run along k. Where a
// stretch of the patch ends inside of a vector, the next one goes on in the same vector: it is put together
// from two or three loads (PatchVector), so that a patch of 27 elements fills 27 lanes of 32.
//
// A tile of up to 3 vectors times 8 channels stays in registers while the pixels go by. Each pixel costs 3
// loads and 8 broadcasts for 24 products: with two loads and two products a cycle the products are the limit.
// The arithmetic intensity is that of the convolution: with a line of 32 pixels and 8 channels in the first
// cache, each element that is loaded from memory is used 9 * 8 times.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// Which lanes of a vector its first piece fills, or its first two.
template <typename V>
inline auto lanes_below(int64_t end) {
  typename V::Type lane;
  for (int64_t i = 0; i < V::kLanes; ++i) lane[i] = static_cast<Real>(i);
  return lane < V::broadcast(static_cast<Real>(end));
}

/// One image's share of the sums of kVectors vectors and kChannels channels.
template <int kBytes, int kVectors, int kChannels, bool kPieces>
inline void gradient_tile(const ConvGradientPanel& g, const PatchVector* vectors, int64_t channel,
                          Real* sums) {
  using V = Vector<Real, kBytes>;
  typename V::Type sum[kChannels][kVectors];
  clear(sum);
  decltype(lanes_below<V>(0)) in_first[kVectors], in_second[kVectors];
  for (int v = 0; kPieces && v < kVectors; ++v) {
    in_first[v] = lanes_below<V>(vectors[v].ends[0]);
    in_second[v] = lanes_below<V>(vectors[v].ends[1]);
  }
  for (int64_t row = 0; row < g.rows; ++row) {
    const Real* x = g.lines + row * g.row_stride;
    const Real* upstream = g.upstream + row * g.columns * g.pixel_stride + channel;
    for (int64_t column = 0; column < g.columns; ++column, x += g.column_stride, upstream += g.pixel_stride) {
      typename V::Type patch[kVectors];
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) {
        patch[v] = V::load(x + vectors[v].offsets[0]);
        if constexpr (kPieces) {
          const auto second = V::load(x + vectors[v].offsets[1]), third = V::load(x + vectors[v].offsets[2]);
          patch[v] = in_first[v] ? patch[v] : in_second[v] ? second : third;
        }
      }
#pragma GCC unroll 8
      for (int c = 0; c < kChannels; ++c) {
        const auto y = V::broadcast(upstream[c]);
#pragma GCC unroll 3
        for (int v = 0; v < kVectors; ++v) sum[c][v] += patch[v] * y;
      }
    }
  }
  for (int c = 0; c < kChannels; ++c) {
    Real* to = sums + (channel + c) * g.sums_stride;
    for (int v = 0; v < kVectors; ++v, to += V::kLanes) V::store(to, V::load(to) + sum[c][v]);
  }
}

template <int kBytes, int kVectors, int kChannels>
inline void gradient_channels(const ConvGradientPanel& g, const PatchVector* vectors, int64_t& channel,
                              Real* sums) {
  bool in_pieces = false;
  for (int v = 0; v < kVectors; ++v) in_pieces |= vectors[v].ends[0] < Vector<Real, kBytes>::kLanes;
  for (; channel + kChannels <= g.channels; channel += kChannels) {
    if (in_pieces) {
      gradient_tile<kBytes, kVectors, kChannels, true>(g, vectors, channel, sums);
    } else {
      gradient_tile<kBytes, kVectors, kChannels, false>(g, vectors, channel, sums);
    }
  }
}

/// All channels of as many groups of kVectors vectors as are left.
template <int kBytes, int kVectors>
inline void gradient_vectors(const ConvGradientPanel& g, int64_t& vector) {
  constexpr int kTile = kVectorRegisters / 4;  // three vectors of so many channels, and what they need
  for (; vector + kVectors <= g.vectors; vector += kVectors) {
    Real* sums = g.sums + vector * Vector<Real, kBytes>::kLanes;
    int64_t channel = 0;
    gradient_channels<kBytes, kVectors, kTile>(g, g.patch + vector, channel, sums);
    gradient_channels<kBytes, kVectors, 1>(g, g.patch + vector, channel, sums);
  }
}

template <int kBytes>
void conv_gradient_panel(const ConvGradientPanel& g) {
  int64_t vector = 0;
  gradient_vectors<kBytes, 3>(g, vector);
  gradient_vectors<kBytes, 2>(g, vector);
  gradient_vectors<kBytes, 1>(g, vector);
}

}  // namespace
}  // namespace qlimit
