// Per-channel sums and scalings of x[rows, channels].
//
// Few channels would leave most lanes of a vector idle. So `group` rows side by side are taken as one wide
// row, whose width is the least common multiple of the channel count and a block of four vectors: element j
// of a wide row belongs to channel j mod channels, whatever the row. Sums over wide rows keep a block in
// registers; the `group` sums of each channel are added at the end, in order.
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

// sums[c] = sum over rows of the term at (row, c); with two sums, the second of all channels stands behind
// the first. The terms add themselves: term(index in x, channel, sums of this place). The vector term reads
// per-channel values beyond the last channel, where a ChannelPattern goes on with the first.
template <int kBytes, int kSums, typename VectorTerm, typename ScalarTerm>
inline void sum_channels(int64_t rows, int64_t channels, Real* sums, const VectorTerm& vector_term,
                         const ScalarTerm& scalar_term) {
  using V = Vector<Real, kBytes>;
  using Wide = WideRows<kBytes>;
  const Wide wide(rows, channels);
  for (int64_t c = 0; c < kSums * channels; ++c) sums[c] = 0;
  for (int64_t block = 0; wide.count > 0 && block < wide.width; block += Wide::kBlock) {
    typename V::Type sum[Wide::kVectors][kSums] = {};
    const int64_t channel = block % channels;
    for (int64_t row = 0; row < wide.count; ++row) {
      const int64_t at = row * wide.width + block;
#pragma GCC unroll 4
      for (int64_t v = 0; v < Wide::kVectors; ++v) {
        vector_term(at + v * V::kLanes, channel + v * V::kLanes, sum[v]);
      }
    }
    for (int64_t j = 0; j < Wide::kBlock; ++j) {
      for (int s = 0; s < kSums; ++s) {
        sums[s * channels + (block + j) % channels] += sum[j / V::kLanes][s][j % V::kLanes];
      }
    }
  }
  for (int64_t i = wide.count * wide.width; i < rows * channels; ++i) {
    Real term[kSums] = {};
    scalar_term(i, i % channels, term);
    for (int s = 0; s < kSums; ++s) sums[s * channels + i % channels] += term[s];
  }
}

template <int kBytes>
void channel_sums(int64_t rows, int64_t channels, const Real* x, Real* sums) {
  using V = Vector<Real, kBytes>;
  sum_channels<kBytes, 1>(
      rows, channels, sums, [=](int64_t i, int64_t, auto* sum) { sum[0] += V::load(x + i); },
      [=](int64_t i, int64_t, Real* sum) { sum[0] += x[i]; });
}

template <int kBytes>
void channel_squares(int64_t rows, int64_t channels, const Real* x, const Real* means, Real* sums) {
  using V = Vector<Real, kBytes>;
  sum_channels<kBytes, 1>(
      rows, channels, sums,
      [=](int64_t i, int64_t c, auto* sum) {
        const auto d = V::load(x + i) - V::load(means + c);
        sum[0] += d * d;
      },
      [=](int64_t i, int64_t c, Real* sum) { sum[0] += (x[i] - means[c]) * (x[i] - means[c]); });
}

template <int kBytes>
void channel_gradient_sums(int64_t rows, int64_t channels, const Real* x, const Real* means,
                           const ChannelMapping& map, const Real* upstream, Real* sums) {
  using V = Vector<Real, kBytes>;
  const auto term = [=]<typename Piece>(int64_t i, int64_t c, auto* sum) {
    const auto value = Piece::load(x + i);
    const auto gradient =
        is_inside<Piece>(map, value, c) ? Piece::load(upstream + i) : typename Piece::Type{};
    sum[0] += gradient;
    sum[1] += (value - Piece::load(means + c)) * gradient;
  };
  sum_channels<kBytes, 2>(
      rows, channels, sums, [=](int64_t i, int64_t c, auto* sum) { term.template operator()<V>(i, c, sum); },
      [=](int64_t i, int64_t c, Real* sum) {
        typename Single::Type single[2] = {};
        term.template operator()<Single>(i, c, single);
        sum[0] += single[0][0];
        sum[1] += single[1][0];
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
