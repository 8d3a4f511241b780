// One element times a vector of filters: the float convolution's step (vector/conv.h).
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// Vectors of sums that a tile may have, beside its filters and a broadcast.
inline constexpr int kFloatSums = kVectorRegisters == 32 ? 16 : 12;

/// The way of float sums into memory: bias and clamp, as many channels as there are. What belongs to the
/// channels is loaded once for all pixels of a tile.
template <int kBytes>
struct FloatSums {
  using V = Vector<Real, kBytes>;
  using Finished = typename V::Type;
  static constexpr int64_t kChannels = V::kLanes;

  static Finished max(Finished a, Finished b) { return ((a > b) | (a != a)) ? a : b; }

  class Output {
   public:
    /// For the channels c and following.
    template <typename Panel>
    Output(const Panel& g, int64_t c)
        : out_(g.out + c), pixel_stride_(g.pixel_stride), channels_(smaller(g.channels - c, kChannels)) {
      const Epilogue& e = g.epilogue;
      if (e.bias && channels_ == kChannels) bias_ = V::load(e.bias + c);
      for (int64_t i = 0; e.bias && channels_ < kChannels && i < channels_; ++i) bias_[i] = e.bias[c + i];
      constexpr Real kInfinity = __builtin_huge_valf();
      low_ = V::broadcast(e.clamps ? e.low : -kInfinity);
      high_ = V::broadcast(e.clamps ? e.high : kInfinity);
    }

    void store(int64_t pixel, Finished sums) const {
      Real* to = out_ + pixel * pixel_stride_;
      const Finished y = V::min(high_, V::max(low_, sums + bias_));
      if (channels_ == kChannels) return V::store(to, y);
      for (int64_t i = 0; i < channels_; ++i) to[i] = y[i];
    }

   private:
    Real* out_;
    int64_t pixel_stride_, channels_;
    Finished bias_ = {}, low_, high_;
  };

  /// Calls body(output) with the way that a panel's sums of the channels c and following take.
  template <typename Panel, typename Body>
  static void with_output(const Panel& g, int64_t c, const Body& body) {
    body(Output(g, c));
  }
};

/// A vector of channels, one element of depth.
template <int kBytes>
struct DotFloat : FloatSums<kBytes> {
  using V = Vector<Real, kBytes>;
  using Element = Real;
  using Sum = typename V::Type;
  using Input = typename V::Type;
  using Filter = typename V::Type;
  static constexpr int64_t kDepth = 1;
  static constexpr int64_t kFilterBytes = kBytes;
  static constexpr int kRegisters = kFloatSums;

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
  using Element = float;
  using Sum = typename V::Type;
  using Input = typename V::Type;
  using Filter = typename V::Type;
  static constexpr int64_t kDepth = 2;
  static constexpr int64_t kFilterBytes = kBytes;
  static constexpr int kRegisters = kFloatSums;

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
