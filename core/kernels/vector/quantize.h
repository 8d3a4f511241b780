// Floats to 8-bit numbers: clamp(round(x / scale), low, high) + zero_point, rounding half away from zero.
//
// What lies beyond 512 steps is clamped for any zero point, so the quotient is cut to that range first;
// within it the conversion to integers, which cuts towards zero, is exact, and the fraction that is left
// decides whether to go one further. Not a number becomes some number: the caller looks for those.
#pragma once

#include "core/kernels/vector/int8_lanes.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes>
inline void quantize_piece(float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                           int8_t* y) {
  using F = Vector<float, kBytes>;
  using I = Vector<int32_t, kBytes>;
  using Bytes = Vector<int8_t, kBytes / 4>;
  const auto quotient = F::load(x) / F::broadcast(scale);
  const auto steps = F::min(F::max(quotient, F::broadcast(-512)), F::broadcast(512));
  const auto whole = __builtin_convertvector(steps, typename I::Type);
  const auto rest = steps - __builtin_convertvector(whole, typename F::Type);
  // A comparison that holds is -1 in its lane.
  const auto rounded = whole - (rest >= F::broadcast(0.5f)) + (rest <= F::broadcast(-0.5f));
  const auto clamped =
      I::min(I::max(rounded, I::broadcast(low)), I::broadcast(high)) + I::broadcast(zero_point);
  if constexpr (kBytes == 16) {
    Lanes128::store_bytes(y, reinterpret_cast<Lanes128::Type>(clamped));  // GCC would take lane by lane
  } else {
    Bytes::store(y, __builtin_convertvector(clamped, typename Bytes::Type));
  }
}

template <int kBytes>
void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y) {
  for_each_piece<float, kBytes>(count, [&]<int kPiece>(int64_t i) {
    quantize_piece<kPiece>(scale, zero_point, low, high, x + i, y + i);
  });
}

}  // namespace
}  // namespace qlimit
