// Per-channel sums and scalings of x[rows, channels].
//
// Few channels would leave most lanes of a vector idle. So `group` rows side by side are taken as one wide
// row, whose width is the least common multiple of the channel count and a block of four vectors: element j
// of a wide row belongs to channel j mod channels, whatever the row. Sums over wide rows go on in lanes; the
// `group` sums of each channel are added at the end, in order.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

using Single = Vector<Real, static_cast<int>(sizeof(Real))>;

template <typename V>
inline auto unclamped(const ChannelMapping& map, typename V::Type x, int64_t c) {
  return x * V::load(map.scale + c) + V::load(map.shift + c);
}

template <typename V>
inline auto clamped(const ChannelMapping& map, typename V::Type y) {
  return V::min(V::broadcast(map.high), V::max(V::broadcast(map.low), y));
}

/// Whether the map of x lies strictly between its bounds: then the gradient passes.
template <typename V>
inline auto is_inside(const ChannelMapping& map, typename V::Type x, int64_t c) {
  const auto y = unclamped<V>(map, x, c);
  return (y > V::broadcast(map.low)) & (y < V::broadcast(map.high));
}

template <typename V>
inline auto input_gradient(const ChannelMappingGradient& g, typename V::Type x, typename V::Type passed,
                           int64_t c) {
  return passed * V::load(g.upstream_scale + c) + x * V::load(g.x_scale + c) + V::load(g.shift + c);
}

template <int kBytes>
struct WideRows {
  static constexpr int64_t kVectors = 4;
  static constexpr int64_t kBlock = kVectors * Vector<Real, kBytes>::kLanes;

  int64_t width;  // elements of a wide row
  int64_t count;  // wide rows; what is left is shorter than one

  WideRows(int64_t rows, int64_t channels) {
    int64_t a = channels, b = kBlock;
    while (b != 0) {
      const int64_t rest = a % b;
      a = b;
      b = rest;
    }
    width = channels / a * kBlock;
    count = rows * channels / width;
  }
};

// Adds the terms of `count` wide rows to the sums of one block of columns; at: of its first element in x. The
// first sums stand at `sums`, the second ones `distance` behind.
template <int kBytes, int kSums, typename Term>
inline void add_block(const WideRows<kBytes>& wide, int64_t count, int64_t at, int64_t channel, Real* sums,
                      int64_t distance, const Term& term) {
  using V = Vector<Real, kBytes>;
  constexpr int64_t kVectors = WideRows<kBytes>::kVectors;
  typename V::Type now[kVectors][kSums];
  for (int64_t v = 0; v < kVectors; ++v)
    for (int s = 0; s < kSums; ++s) now[v][s] = V::load(sums + s * distance + v * V::kLanes);
  for (const int64_t end = at + count * wide.width; at < end; at += wide.width) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      term.template operator()<V>(at + v * V::kLanes, channel + v * V::kLanes, now[v]);
    }
  }
  for (int64_t v = 0; v < kVectors; ++v)
    for (int s = 0; s < kSums; ++s) V::store(sums + s * distance + v * V::kLanes, now[v][s]);
}

// Block by block over all rows, memory would be read in steps of a wide row, which no processor foresees:
// less than half the speed. So each row goes through all blocks of a panel, whose sums wait in the first
// cache.
template <int kBytes, int kSums, typename Term>
inline void sum_wide_rows(const WideRows<kBytes>& wide, int64_t channels, Real* sums, const Term& term) {
  constexpr int64_t kBlock = WideRows<kBytes>::kBlock, kPanel = 64 * kBlock;
  const int64_t step = kBlock % channels;
  for (int64_t first = 0; wide.count > 0 && first < wide.width; first += kPanel) {
    const int64_t size = smaller(kPanel, wide.width - first);
    const int64_t together = size == kBlock ? wide.count : 1;
    Real panel[kSums * kPanel];
    for (int64_t j = 0; j < kSums * size; ++j) panel[j] = 0;
    for (int64_t row = 0; row < wide.count; row += together) {
      int64_t channel = first % channels;
      for (int64_t j = 0; j < size; j += kBlock) {
        add_block<kBytes, kSums>(wide, together, row * wide.width + first + j, channel, panel + j, size,
                                 term);
        channel += step;
        if (channel >= channels) channel -= channels;
      }
    }
    for (int64_t j = 0, run = 0; j < size; j += run) {
      const int64_t c = (first + j) % channels;
      run = smaller(channels - c, size - j);
      for (int s = 0; s < kSums; ++s)
        for (int64_t k = 0; k < run; ++k) sums[s * channels + c + k] += panel[s * size + j + k];
    }
  }
}

// sums[c] = sum over rows of the term at (row, c); with two sums, the second of all channels stands behind
// the first. The terms add themselves: term<piece>(index in x, channel, sums of this place), a piece being a
// vector or a single element. They read per-channel values beyond the last channel, where a ChannelPattern
// goes on with the first.
template <int kBytes, int kSums, typename Term>
inline void sum_channels(int64_t rows, int64_t channels, Real* sums, const Term& term) {
  const WideRows<kBytes> wide(rows, channels);
  for (int64_t c = 0; c < kSums * channels; ++c) sums[c] = 0;
  sum_wide_rows<kBytes, kSums>(wide, channels, sums, term);
  for (int64_t row = wide.count * wide.width; row < rows * channels; row += channels) {
    for_each_piece<Real, kBytes>(channels, [&]<int kPieceBytes>(int64_t c) {
      using Piece = Vector<Real, kPieceBytes>;
      typename Piece::Type terms[kSums] = {};
      term.template operator()<Piece>(row + c, c, terms);
      for (int s = 0; s < kSums; ++s) {
        Real* sum = sums + s * channels + c;
        Piece::store(sum, Piece::load(sum) + terms[s]);
      }
    });
  }
}

template <int kBytes>
void channel_sums(int64_t rows, int64_t channels, const Real* x, Real* sums) {
  sum_channels<kBytes, 1>(rows, channels, sums, [=]<typename Piece>(int64_t i, int64_t, auto* sum) {
    sum[0] += Piece::load(x + i);
  });
}

template <int kBytes>
void channel_squares(int64_t rows, int64_t channels, const Real* x, const Real* means, Real* sums) {
  sum_channels<kBytes, 1>(rows, channels, sums, [=]<typename Piece>(int64_t i, int64_t c, auto* sum) {
    const auto d = Piece::load(x + i) - Piece::load(means + c);
    sum[0] += d * d;
  });
}

template <int kBytes>
void channel_gradient_sums(int64_t rows, int64_t channels, const Real* x, const Real* means,
                           const ChannelMapping& map, const Real* upstream, Real* sums) {
  sum_channels<kBytes, 2>(rows, channels, sums, [=]<typename Piece>(int64_t i, int64_t c, auto* sum) {
    const auto value = Piece::load(x + i);
    const auto gradient =
        is_inside<Piece>(map, value, c) ? Piece::load(upstream + i) : typename Piece::Type{};
    sum[0] += gradient;
    sum[1] += (value - Piece::load(means + c)) * gradient;
  });
}

// Calls body.operator()<vector>(index, channel) for whole vectors of x, then for single elements.
template <int kBytes, typename Body>
inline void for_each_channel_vector(int64_t rows, int64_t channels, const Body& body) {
  using V = Vector<Real, kBytes>;
  constexpr int64_t kBlock = WideRows<kBytes>::kBlock;
  const int64_t size = rows * channels;
  const int64_t step = kBlock % channels;
  int64_t i = 0, channel = 0;
  for (; i + kBlock <= size; i += kBlock) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kBlock; v += V::kLanes) body.template operator()<V>(i + v, channel + v);
    channel += step;
    if (channel >= channels) channel -= channels;
  }
  for (; i < size; ++i) body.template operator()<Single>(i, i % channels);
}

template <int kBytes>
void channel_map(int64_t rows, int64_t channels, const Real* x, const ChannelMapping& map, Real* y) {
  for_each_channel_vector<kBytes>(rows, channels, [=]<typename V>(int64_t i, int64_t c) {
    V::store(y + i, clamped<V>(map, unclamped<V>(map, V::load(x + i), c)));
  });
}

template <int kBytes>
void channel_map_backward(int64_t rows, int64_t channels, const Real* x, const ChannelMapping& map,
                          const Real* upstream, const ChannelMappingGradient& g, Real* dx) {
  for_each_channel_vector<kBytes>(rows, channels, [=]<typename V>(int64_t i, int64_t c) {
    const auto value = V::load(x + i);
    const auto passed = is_inside<V>(map, value, c) ? V::load(upstream + i) : typename V::Type{};
    V::store(dx + i, input_gradient<V>(g, value, passed, c));
  });
}

}  // namespace
}  // namespace qlimit
