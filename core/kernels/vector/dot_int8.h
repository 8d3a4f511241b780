// Dot products of a few bytes, the heart of the integer convolution: a vector of 32-bit sums, and for each
// lane as many activations times as many weights.
//
//   sum[lane] += x0 * w[lane][0] + x1 * w[lane][1] [ + x2 * w[lane][2] + x3 * w[lane][3] ]
//
// The activations are the same in all lanes: they are broadcast from the image as they lie there. All sums
// are exact.
//
// With VNNI four of them are one instruction, vpdpbusd, whose activations are unsigned: images are stored as
// x + 128, and the 128 * (sum of the weights) too much is taken back in the bias. Without it bytes are
// stored as 16-bit numbers, of which pmaddwd multiplies pairs and adds both products: two instructions for
// two products a lane. Its neighbour for bytes, pmaddubsw, would take four in three instructions, no more
// for the multipliers to do a product, but it saturates at 16 bits.
//
// On Arm both factors are signed, and images are stored as they are: one instruction, SDOT, where the
// processor has it. Else SMULL multiplies eight bytes into 16 bits, and SADALP adds pairs of these to sums of
// 32 bits: 16 products in four instructions.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/int8_lanes.h"
#include "core/kernels/vector/requantize.h"

namespace qlimit {
namespace {

#if defined(__AVX512VNNI__)
// Sums have the instruction's own type: as the __m512i of the intrinsic GCC copies each of them twice a step.
using Sums512 = Vector<int32_t, 64>::Type;
inline Sums512 dot512(Sums512 sum, __m512i x, __m512i w) {
  return reinterpret_cast<Sums512>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), x, w));
}

/// Channels and lanes: 16 channels of four bytes.
struct Quads512 {
  using Lanes = Lanes512;
  using Element = uint8_t;
  using Sum = Sums512;
  using Input = __m512i;
  using Filter = __m512i;
  static constexpr int32_t kOffset = 128;
  static constexpr int64_t kChannels = 16;
  static constexpr int64_t kDepth = 4;         // bytes of depth that a step takes
  static constexpr int64_t kFilterBytes = 64;  // of a step
  static constexpr int kRegisters = 16;        // of sums that a tile may have

  static Input broadcast(const uint8_t* x) {
    int32_t four;
    std::memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static Filter load(const std::byte* w) { return _mm512_loadu_si512(w); }
  static Sum dot(Sum sum, Input x, Filter w) { return dot512(sum, x, w); }
  static Lanes512::Type finish(Sum sum) { return reinterpret_cast<__m512i>(sum); }
  /// Puts the weight for byte k of a step and channel c to its place.
  static void place(std::byte* filters, int64_t c, int64_t k, int8_t w) {
    filters[c * 4 + k] = static_cast<std::byte>(w);
  }
};

/// 8 channels would leave half of the lanes idle, so here a step takes eight bytes of depth: lane 2c has the
/// first four of channel c, lane 2c+1 the others. They are added in the end.
struct Octets512 {
  using Lanes = Lanes256;
  using Element = uint8_t;
  using Sum = Sums512;
  using Input = __m512i;
  using Filter = __m512i;
  static constexpr int32_t kOffset = 128;
  static constexpr int64_t kChannels = 8;
  static constexpr int64_t kDepth = 8;
  static constexpr int64_t kFilterBytes = 64;
  static constexpr int kRegisters = 16;

  static Input broadcast(const uint8_t* x) {
    int64_t eight;
    std::memcpy(&eight, x, sizeof eight);
    return _mm512_set1_epi64(eight);
  }
  static Filter load(const std::byte* w) { return _mm512_loadu_si512(w); }
  static Sum dot(Sum sum, Input x, Filter w) { return dot512(sum, x, w); }
  static Lanes256::Type finish(Sum sum) {
    const auto pairs = reinterpret_cast<__m512i>(sum);
    return _mm512_cvtepi64_epi32(_mm512_add_epi32(pairs, _mm512_srli_epi64(pairs, 32)));
  }
  static void place(std::byte* filters, int64_t c, int64_t k, int8_t w) {
    filters[c * 8 + k] = static_cast<std::byte>(w);
  }
};
#endif

#if defined(__aarch64__)
/// 4 channels of four bytes.
struct SignedQuads {
  using Lanes = Lanes128;
  using Element = int8_t;
  using Filter = int8x16_t;
  static constexpr int32_t kOffset = 0;
  static constexpr int64_t kChannels = 4;
  static constexpr int64_t kDepth = 4;
  static constexpr int64_t kFilterBytes = 16;

  static Filter load(const std::byte* w) { return vld1q_s8(reinterpret_cast<const int8_t*>(w)); }
  static void place(std::byte* filters, int64_t c, int64_t k, int8_t w) {
    filters[c * 4 + k] = static_cast<std::byte>(w);
  }
};

#if defined(__ARM_FEATURE_DOTPROD)
/// SDOT can take four bytes of one factor for all lanes, so they need not be broadcast.
struct NeonQuads : SignedQuads {
  using Sum = int32x4_t;
  using Input = int8x8_t;
  static constexpr int kRegisters = 16;

  static Input broadcast(const int8_t* x) {
    uint32_t four;
    std::memcpy(&four, x, sizeof four);
    return vcreate_s8(four);
  }
  static Sum dot(Sum sum, Input x, Filter w) { return vdotq_lane_s32(sum, w, x, 0); }
  static Lanes128::Type finish(Sum sum) { return sum; }
};
#else
/// The sums of a channel stay in two lanes to the end, because SADALP adds neighbours only.
struct NeonQuads : SignedQuads {
  struct Sum {
    int32x4_t low, high;  // of channels 0 and 1, and of 2 and 3
  };
  using Input = int8x16_t;
  static constexpr int kRegisters = 8;  // pairs of registers

  static Input broadcast(const int8_t* x) {
    int32_t four;
    std::memcpy(&four, x, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Sum dot(Sum sum, Input x, Filter w) {
    return {vpadalq_s16(sum.low, vmull_s8(vget_low_s8(x), vget_low_s8(w))),
            vpadalq_s16(sum.high, vmull_high_s8(x, w))};
  }
  static Lanes128::Type finish(Sum sum) { return vpaddq_s32(sum.low, sum.high); }
};
#endif
#endif

/// Without any of these, for lanes of any length: two 16-bit numbers a lane.
template <typename L>
struct Pairs {
  using Lanes = L;
  using Element = int16_t;
  using Sum = typename L::Type;
  using Input = typename L::Type;
  using Filter = typename L::Type;
  static constexpr int32_t kOffset = 0;
  static constexpr int64_t kChannels = L::kLanes;
  static constexpr int64_t kDepth = 2;
  static constexpr int64_t kFilterBytes = 4 * L::kLanes;
  static constexpr int kRegisters = L::kLanes == 16 ? 16 : 8;

  static Input broadcast(const int16_t* x) {
    int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    return L::broadcast(pair);
  }
  static Filter load(const std::byte* w) { return L::load(w); }
  static Sum dot(Sum sum, Input x, Filter w) { return L::multiply_add_pairs(sum, x, w); }
  static typename L::Type finish(Sum sum) { return sum; }
  static void place(std::byte* filters, int64_t c, int64_t k, int8_t w) {
    const int16_t wide = w;
    std::memcpy(filters + (c * 2 + k) * 2, &wide, sizeof wide);
  }
};

/// What the convolution (vector/conv.h) wants besides: the way of the sums into memory.
template <typename Bytes>
struct DotInt8 : Bytes {
  using L = typename Bytes::Lanes;

  /// Numbers behind a stretch are multiplied by 0, whatever they are.
  static typename Bytes::Input broadcast_last(const typename Bytes::Element* x) {
    return Bytes::broadcast(x);
  }
  static typename L::Type max(typename L::Type a, typename L::Type b) { return L::max(a, b); }
  template <typename Body>
  static void with_output(const ConvInt8Panel& g, int64_t c, const Body& body) {
    with_integer_output<L>(g, c, body);
  }
};

#if defined(__AVX512VNNI__)
using WideDotInt8 = DotInt8<Quads512>;
using NarrowDotInt8 = DotInt8<Octets512>;
#elif defined(__aarch64__)
using WideDotInt8 = DotInt8<NeonQuads>;
using NarrowDotInt8 = DotInt8<NeonQuads>;
#else
using WideDotInt8 = DotInt8<Pairs<WideLanes> >;
using NarrowDotInt8 = DotInt8<Pairs<HalfLanes> >;
#endif

}  // namespace
}  // namespace qlimit
