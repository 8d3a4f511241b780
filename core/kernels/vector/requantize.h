// Sums of products to 8-bit outputs, a vector of channels at a time, by TFLite's double rounding:
//
//   y = clamp(rounding_divide_by_pot(saturating_rounding_doubling_high_mul(sum + bias, m), s) + zero_point)
//
// with the multiplier m >= 0 and the right shift s in 0 ... 31 of the element's channel (quant/fixed_point.h
// has the definitions). All of it is exact integer arithmetic, so the lanes give the same bits as the scalar
// formula.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/int8_lanes.h"

namespace qlimit {
namespace {

/// rounding_divide_by_pot of quant/fixed_point.h.
template <typename L>
inline typename L::Type rounding_divide(typename L::Type x, typename L::Type shift) {
  if constexpr (requires { L::rounding_divide(x, shift); }) {
    return L::rounding_divide(x, shift);
  } else {
    // The quotient rounds down; a remainder above half (for negative numbers: above half and a bit) adds 1.
    const auto one = L::broadcast(1);
    const auto mask = L::add(L::shift_left(one, shift), L::broadcast(-1));
    const auto threshold = L::add(L::shift_right(mask, one), L::sign(x));
    return L::increment_where_greater(L::shift_right(x, shift), L::bit_and(x, mask), threshold);
  }
}

/// The outputs of a vector of sums, channels c and following.
template <typename L>
inline typename L::Type requantized(const ChannelRequantizer& r, typename L::Type sums, int64_t c) {
  const auto product = L::high_mul(L::add(sums, L::load(r.bias + c)), L::load(r.multipliers + c));
  const auto y = rounding_divide<L>(product, L::load(r.right_shifts + c));
  // Clamped before the zero point is added, which then cannot overflow.
  const auto clamped = L::clamp(y, L::broadcast(r.min - r.zero_point), L::broadcast(r.max - r.zero_point));
  return L::add(clamped, L::broadcast(r.zero_point));
}

/// The first `count` lanes as bytes.
template <typename L>
inline void store_bytes(int64_t count, typename L::Type y, int8_t* out) {
  if (count >= L::kLanes) return L::store_bytes(out, y);
  int8_t rest[L::kLanes];
  L::store_bytes(rest, y);
  for (int64_t i = 0; i < count; ++i) out[i] = rest[i];
}

template <typename L>
inline void requantize_lanes(const RequantizeBlock& r, const int32_t* sums, int64_t c, int8_t* out) {
  store_bytes<L>(r.channels - c, requantized<L>(r.scales, L::load(sums + c), c), out + c);
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
