// Sums and products of 8-bit numbers with scales of their own, element by element; quant/kernels/add.h and
// mul.h have the formulas.
//
// Each pair of bytes that is read costs some 20 instructions of fixed-point arithmetic, 35 for a sum with its
// second scaling: so the time goes into these, whatever the vectors are read from, and 32-bit lanes, which
// they need, are used from the first instruction to the last.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/int8_lanes.h"
#include "core/kernels/vector/requantize.h"

namespace qlimit {
namespace {

template <typename L>
inline typename L::Type rescaled(typename L::Type x, const Int8Scale& s) {
  return RoundingDivide<L>(L::broadcast(s.right_shift))(L::high_mul(x, L::broadcast(s.multiplier)));
}

/// x without its zero point.
template <typename L>
inline typename L::Type centred(typename L::Type x, const Int8Scale& s) {
  return L::add(x, L::broadcast(-s.zero_point));
}

template <typename L>
struct SumOfInt8 {
  static typename L::Type combine(const PairsInt8& p, typename L::Type x, typename L::Type y) {
    // Half of 2^20 steps of the larger scale.
    const auto larger = L::template shift_left_by<19>(centred<L>(x, p.first_scale));
    const auto smaller = L::template shift_left_by<20>(centred<L>(y, p.second_scale));
    return L::add(larger, rescaled<L>(smaller, p.second_scale));
  }
};

template <typename L>
struct ProductOfInt8 {
  static typename L::Type combine(const PairsInt8& p, typename L::Type x, typename L::Type y) {
    // Both fit 16 bits. The upper half of one is made 0, so that only the lower halves count.
    const auto low = L::bit_and(centred<L>(y, p.second_scale), L::broadcast(0xFFFF));
    return multiply_add_words<L>(L::zero(), centred<L>(x, p.first_scale), low);
  }
};

template <typename L, typename Pair>
inline void combine_int8(const PairsInt8& p, const int8_t* first, const int8_t* second, int8_t* out) {
  const auto side = [](const int8_t* from, int64_t step) {
    return step == 0 ? L::broadcast(*from) : L::load_bytes(from);
  };
  const auto pair = Pair::combine(p, side(first, p.first_step), side(second, p.second_step));
  const auto y = rescaled<L>(pair, p.out_scale);
  const int32_t zero = p.out_scale.zero_point;
  const auto clamped = L::clamp(y, L::broadcast(p.min - zero), L::broadcast(p.max - zero));
  L::store_bytes(out, L::add(clamped, L::broadcast(zero)));
}

template <template <typename> typename Pair>
void pairs_int8(const PairsInt8& pairs) {
  using L = WideLanes;
  const PairsInt8 p = pairs;  // which no byte that is stored can change: its numbers stay in registers
  int64_t i = 0;
  for (; i + L::kLanes <= p.count; i += L::kLanes) {
    combine_int8<L, Pair<L> >(p, p.first + i * p.first_step, p.second + i * p.second_step, p.out + i);
  }
  if (i == p.count) return;
  int8_t first[L::kLanes] = {}, second[L::kLanes] = {}, out[L::kLanes];
  for (int64_t k = 0; k < p.count - i; ++k) {
    first[k] = p.first[(i + k) * p.first_step];
    second[k] = p.second[(i + k) * p.second_step];
  }
  combine_int8<L, Pair<L> >(p, first, second, out);
  for (int64_t k = 0; k < p.count - i; ++k) p.out[i + k] = out[k];
}

}  // namespace
}  // namespace qlimit
