// One element times a vector of filters: the float convolution's step (vector/conv.h).
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// The way of float sums into memory: bias and clamp, as many channels as there are.
template <int kBytes>
struct FloatSums {
  using V = Vector<Real, kBytes>;
  using Finished = typename V::Type;
  static constexpr int64_t kChannels = V::kLanes;

  static Finished max(Finished a, Finished b) { return ((a > b) | (a != a)) ? a : b; }
  template <typename Panel>
  static void store(const Panel& g, int64_t pixel, int64_t c, Finished y) {
    Real* to = g.out + pixel * g.pixel_stride + c;
    const Epilogue& e = g.epilogue;
    if (g.channels - c >= kChannels) {
      if (e.bias) y += V::load(e.bias + c);
      if (e.clamps) y = V::min(V::broadcast(e.high), V::max(V::broadcast(e.low), y));
      V::store(to, y);
      return;
    }
    for (int64_t i = 0; i < g.channels - c; ++i) {
      Real value = y[i] + (e.bias ? e.bias[c + i] : 0);
      if (e.clamps) value = value < e.low ? e.low : value > e.high ? e.high : value;
      to[i] = value;
    }
  }
};

/// A vector of channels, one element of depth.
template <int kBytes>
struct DotFloat : FloatSums<kBytes> {
  using V = Vector<Real, kBytes>;
  using Sum = typename V::Type;
  using Input = typename V::Type;
  using Filter = typename V::Type;
  static constexpr int64_t kDepth = 1;
  static constexpr int64_t kFilterBytes = kBytes;
  static constexpr int kRegisters = kVectorRegisters / 2;

  static Input broadcast(const Real* x) { return V::broadcast(*x); }
  static Input broadcast_last(const Real* x) { return V::broadcast(*x); }
  static Filter load(const std::byte* w) { return V::load(reinterpret_cast<const Real*>(w)); }
  static Sum dot(Sum sum, Input x, Filter w) { return sum + x * w; }
  static Sum finish(Sum sum) { return sum; }
  static void place(std::byte* filters, int64_t c, int64_t, Real w) {
    reinterpret_cast<Real*>(filters)[c] = w;
  }
};

/// Half a vector of channels, two elements of depth: lane 2c takes the first one for channel c, lane 2c+1 the
/// second. They are added in the end. So 8 channels fill 16 lanes.
template <int kBytes>
struct DotFloatPairs : FloatSums<kBytes / 2> {
  using V = Vector<float, kBytes>;
  using Pairs = Vector<int64_t, kBytes>;
  using Sum = typename V::Type;
  using Input = typename V::Type;
  using Filter = typename V::Type;
  static constexpr int64_t kDepth = 2;
  static constexpr int64_t kFilterBytes = kBytes;
  static constexpr int kRegisters = kVectorRegisters / 2;

  static Input broadcast(const float* x) {
    int64_t pair;
    __builtin_memcpy(&pair, x, sizeof pair);
    return reinterpret_cast<Input>(Pairs::broadcast(pair));
  }
  /// The last element of a stretch of odd length: what lies behind it need not be a number.
  static Input broadcast_last(const float* x) {
    uint32_t single;
    __builtin_memcpy(&single, x, sizeof single);
    return reinterpret_cast<Input>(Pairs::broadcast(single));
  }
  static Filter load(const std::byte* w) { return V::load(reinterpret_cast<const float*>(w)); }
  static Sum dot(Sum sum, Input x, Filter w) { return sum + x * w; }
  static auto finish(Sum sum) {
    using Half = typename Vector<float, kBytes / 2>::Type;
    Half even, odd;
    if constexpr (kBytes == 64) {
      even = __builtin_shufflevector(sum, sum, 0, 2, 4, 6, 8, 10, 12, 14);
      odd = __builtin_shufflevector(sum, sum, 1, 3, 5, 7, 9, 11, 13, 15);
    } else {
      even = __builtin_shufflevector(sum, sum, 0, 2, 4, 6);
      odd = __builtin_shufflevector(sum, sum, 1, 3, 5, 7);
    }
    return even + odd;
  }
  static void place(std::byte* filters, int64_t c, int64_t k, float w) {
    reinterpret_cast<float*>(filters)[2 * c + k] = w;
  }
};

/// The narrow panels of vectors of kBytes: pairs of floats; in double, and where vectors are short, half
/// vectors.
template <int kBytes, bool kPairs>
struct NarrowFloat {
  using Dot = DotFloat<kBytes / 2>;
};
template <int kBytes>
struct NarrowFloat<kBytes, true> {
  using Dot = DotFloatPairs<kBytes>;
};

}  // namespace
}  // namespace qlimit
