// Sums of products to 8-bit outputs, a vector of channels at a time, by TFLite's double rounding:
//
//   y = clamp(rounding_divide_by_pot(saturating_rounding_doubling_high_mul(sum + bias, m), s) + zero_point)
//
// with the multiplier m >= 0 and the right shift s in 0 ... 31 of the element's channel (quant/fixed_point.h
// has the definitions). All of it is exact integer arithmetic, so the lanes give the same bits as the scalar
// formula.
#pragma once

#include <limits>

#include "core/kernels/table.h"
#include "core/kernels/vector/int8_lanes.h"

namespace qlimit {
namespace {

/// rounding_divide_by_pot of quant/fixed_point.h by the same shifts again and again.
template <typename L>
class RoundingDivide {
 public:
  using Type = typename L::Type;
  explicit RoundingDivide(Type shift)
      : shift_(shift), mask_(L::add(L::shift_left(L::broadcast(1), shift), L::broadcast(-1))) {}

  // The quotient rounds down; a remainder above half (for negative numbers: above half and a bit) adds 1.
  Type operator()(Type x) const {
    const auto threshold = L::add(L::shift_right(mask_, L::broadcast(1)), L::sign(x));
    return L::increment_where_greater(L::shift_right(x, shift_), L::bit_and(x, mask_), threshold);
  }

 private:
  Type shift_, mask_;
};

/// The same where there is an instruction for it.
template <typename L>
requires requires(typename L::Type x) { L::rounding_divide(x, x); }
class RoundingDivide<L> {
 public:
  using Type = typename L::Type;
  explicit RoundingDivide(Type shift) : shift_(shift) {}
  Type operator()(Type x) const { return L::rounding_divide(x, shift_); }

 private:
  Type shift_;
};

/// saturating_left_shift of quant/fixed_point.h, for numbers that are multiplied by 1/2 or more and clamped
/// to 8 bits: what does not fit becomes the last multiple of 2^shift, which is 2^30 or more in size.
template <typename L>
inline typename L::Type saturating_left_shift(typename L::Type x, typename L::Type shift) {
  const auto lowest = L::shift_right(L::broadcast(std::numeric_limits<int32_t>::min()), shift);
  const auto highest = L::shift_right(L::broadcast(std::numeric_limits<int32_t>::max()), shift);
  return L::shift_left(L::clamp(x, lowest, highest), shift);
}

/// Makes outputs of sums, for a vector of channels: what belongs to the channels is loaded once.
template <typename L>
class VectorRequantizer {
 public:
  using Type = typename L::Type;
  /// For the channels c and following.
  VectorRequantizer(const ChannelRequantizer& r, int64_t c)
      : bias_(L::load(r.bias + c)),
        multiplier_(L::load(r.multipliers + c)),
        divide_(L::load(r.right_shifts + c)),
        // Clamped before the zero point is added, which then cannot overflow.
        low_(L::broadcast(r.min - r.zero_point)),
        high_(L::broadcast(r.max - r.zero_point)),
        zero_point_(L::broadcast(r.zero_point)) {}

  Type operator()(Type sums) const { return scaled(biased(sums)); }

  Type biased(Type sums) const { return L::add(sums, bias_); }
  Type scaled(Type x) const {
    return L::add(L::clamp(divide_(L::high_mul(x, multiplier_)), low_, high_), zero_point_);
  }

 private:
  Type bias_, multiplier_;
  RoundingDivide<L> divide_;
  Type low_, high_, zero_point_;
};

/// The first `count` lanes as bytes.
template <typename L>
inline void store_bytes(int64_t count, typename L::Type y, int8_t* out) {
  if (count >= L::kLanes) return L::store_bytes(out, y);
  int8_t rest[L::kLanes];
  L::store_bytes(rest, y);
  for (int64_t i = 0; i < count; ++i) out[i] = rest[i];
}

/// The ways of integer sums into memory, for a vector of channels: requantized, or as they are.
template <typename L>
struct RequantizedOutput {
  VectorRequantizer<L> requantizer;
  int8_t* out;
  int64_t pixel_stride, channels;

  void store(int64_t pixel, typename L::Type sums) const {
    store_bytes<L>(channels, requantizer(sums), out + pixel * pixel_stride);
  }
};
template <typename L>
struct SumsOutput {
  int32_t* sums;
  int64_t pixel_stride;

  void store(int64_t pixel, typename L::Type y) const { L::store(sums + pixel * pixel_stride, y); }
};

/// Calls body(output) with the way that a panel's sums of the channels c and following take.
template <typename L, typename Panel, typename Body>
inline void with_integer_output(const Panel& g, int64_t c, const Body& body) {
  if (g.scales) {
    body(RequantizedOutput<L>{VectorRequantizer<L>(*g.scales, c), g.out + c, g.pixel_stride, g.channels - c});
  } else {
    body(SumsOutput<L>{g.sums + c, g.pixel_stride});
  }
}

template <typename L>
inline void requantize_lanes(const RequantizeBlock& r, const int32_t* sums, int64_t c, int8_t* out) {
  const VectorRequantizer<L> requantizer(r.scales, c);
  auto x = requantizer.biased(L::load(sums + c));
  if (r.left_shifts) x = saturating_left_shift<L>(x, L::load(r.left_shifts + c));
  store_bytes<L>(r.channels - c, requantizer.scaled(x), out + c);
}

inline void requantize_int8(const RequantizeBlock& r) {
  for (int64_t row = 0; row < r.rows; ++row) {
    const int32_t* sums = r.sums + row * r.padded_channels;
    int8_t* out = r.out + row * r.channels;
    int64_t c = 0;
    for (; c + WideLanes::kLanes <= r.padded_channels; c += WideLanes::kLanes) {
      requantize_lanes<WideLanes>(r, sums, c, out);
    }
    for (; c < r.padded_channels; c += HalfLanes::kLanes) requantize_lanes<HalfLanes>(r, sums, c, out);
  }
}

}  // namespace
}  // namespace qlimit
