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

// sums[c] = sum over rows of the term at (row, c). Both terms are given the element's index in x and its
// channel; the vector term reads per-channel values beyond the last channel, where a ChannelPattern goes on
// with the first.
template <int kBytes, typename VectorTerm, typename ScalarTerm>
inline void sum_channels(int64_t rows, int64_t channels, Real* sums, const VectorTerm& vector_term,
                         const ScalarTerm& scalar_term) {
  using V = Vector<Real, kBytes>;
  using Wide = WideRows<kBytes>;
  const Wide wide(rows, channels);
  for (int64_t c = 0; c < channels; ++c) sums[c] = 0;
  for (int64_t block = 0; wide.count > 0 && block < wide.width; block += Wide::kBlock) {
    typename V::Type sum[Wide::kVectors] = {};
    const int64_t channel = block % channels;
    for (int64_t row = 0; row < wide.count; ++row) {
      const int64_t at = row * wide.width + block;
#pragma GCC unroll 4
      for (int64_t v = 0; v < Wide::kVectors; ++v)
        sum[v] += vector_term(at + v * V::kLanes, channel + v * V::kLanes);
    }
    for (int64_t j = 0; j < Wide::kBlock; ++j)
      sums[(block + j) % channels] += sum[j / V::kLanes][j % V::kLanes];
  }
  for (int64_t i = wide.count * wide.width; i < rows * channels; ++i)
    sums[i % channels] += scalar_term(i, i % channels);
}

template <int kBytes>
void channel_sums(int64_t rows, int64_t channels, const Real* x, Real* sums) {
  using V = Vector<Real, kBytes>;
  sum_channels<kBytes>(
      rows, channels, sums, [=](int64_t i, int64_t) { return V::load(x + i); },
      [=](int64_t i, int64_t) { return x[i]; });
}

template <int kBytes>
void channel_squares(int64_t rows, int64_t channels, const Real* x, const Real* means, Real* sums) {
  using V = Vector<Real, kBytes>;
  sum_channels<kBytes>(
      rows, channels, sums,
      [=](int64_t i, int64_t c) {
        const auto d = V::load(x + i) - V::load(means + c);
        return d * d;
      },
      [=](int64_t i, int64_t c) { return (x[i] - means[c]) * (x[i] - means[c]); });
}

template <int kBytes>
void channel_products(int64_t rows, int64_t channels, const Real* x, const Real* means, const Real* y,
                      Real* sums) {
  using V = Vector<Real, kBytes>;
  sum_channels<kBytes>(
      rows, channels, sums,
      [=](int64_t i, int64_t c) { return (V::load(x + i) - V::load(means + c)) * V::load(y + i); },
      [=](int64_t i, int64_t c) { return (x[i] - means[c]) * y[i]; });
}

// Calls vector(index, channel) for whole vectors of x and scalar(index, channel) for the rest.
template <int kBytes, typename VectorStep, typename ScalarStep>
inline void for_each_channel_vector(int64_t rows, int64_t channels, const VectorStep& vector,
                                    const ScalarStep& scalar) {
  constexpr int64_t kBlock = WideRows<kBytes>::kBlock;
  constexpr int64_t kLanes = Vector<Real, kBytes>::kLanes;
  const int64_t size = rows * channels;
  const int64_t step = kBlock % channels;
  int64_t i = 0, channel = 0;
  for (; i + kBlock <= size; i += kBlock) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kBlock; v += kLanes) vector(i + v, channel + v);
    channel += step;
    if (channel >= channels) channel -= channels;
  }
  for (; i < size; ++i) scalar(i, i % channels);
}

template <int kBytes>
void channel_affine(int64_t rows, int64_t channels, const Real* x, const Real* scale, const Real* shift,
                    Real* y) {
  using V = Vector<Real, kBytes>;
  for_each_channel_vector<kBytes>(
      rows, channels,
      [=](int64_t i, int64_t c) {
        V::store(y + i, V::load(x + i) * V::load(scale + c) + V::load(shift + c));
      },
      [=](int64_t i, int64_t c) { y[i] = x[i] * scale[c] + shift[c]; });
}

template <int kBytes>
void channel_affine2(int64_t rows, int64_t channels, const Real* x, const Real* x_scale, const Real* y,
                     const Real* y_scale, const Real* shift, Real* result) {
  using V = Vector<Real, kBytes>;
  for_each_channel_vector<kBytes>(
      rows, channels,
      [=](int64_t i, int64_t c) {
        V::store(result + i, V::load(x + i) * V::load(x_scale + c) + V::load(y + i) * V::load(y_scale + c) +
                                 V::load(shift + c));
      },
      [=](int64_t i, int64_t c) { result[i] = x[i] * x_scale[c] + y[i] * y_scale[c] + shift[c]; });
}

}  // namespace
}  // namespace qlimit
