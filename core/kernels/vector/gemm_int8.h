// The integer matrix product: the float kernel's tile (vector/gemm.h) with pairs of 16-bit numbers in place
// of floats.
//
//   C[i, j] = sum over pairs p of  A[i, 2p] * B[j, 2p] + A[i, 2p+1] * B[j, 2p+1]
//
// Operands are 8-bit numbers widened to 16 bits. A product of two is below 2^14, a pair's sum below 2^15, so
// every 32-bit sum is exact whatever the order. One instruction does the two multiply-adds of each lane:
// twice the float kernel's rate per lane, at half the memory.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/int8_lanes.h"

namespace qlimit {
namespace {

template <typename L, int kVectors, int kRows>
inline void int8_tile(const Int8Panel& g, const int16_t* a, int32_t* c) {
  typename L::Type sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[i][v] = L::zero();
  }
  const int16_t* panel = g.panel;
  for (int64_t p = 0; p < g.pairs; ++p, a += 2, panel += 2 * kVectors * L::kLanes) {
    typename L::Type b[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) b[v] = L::load(panel + 2 * v * L::kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      int32_t pair;
      std::memcpy(&pair, a + i * g.a_row_stride, sizeof pair);
      const typename L::Type x = L::broadcast(pair);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = L::multiply_add_pairs(sum[i][v], x, b[v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) L::store(c + i * g.c_row_stride + v * L::kLanes, sum[i][v]);
  }
}

template <typename L, int kVectors, int kRows>
int64_t int8_tiles(const Int8Panel& g, int64_t done) {
  for (; done + kRows <= g.m; done += kRows) {
    int8_tile<L, kVectors, kRows>(g, g.a + done * g.a_row_stride, g.c + done * g.c_row_stride);
  }
  return done;
}

template <typename L, int kVectors, int kRows>
void int8_columns(const Int8Panel& g) {
  int64_t done = int8_tiles<L, kVectors, kRows>(g, 0);
  done = int8_tiles<L, kVectors, 4>(g, done);
  int8_tiles<L, kVectors, 1>(g, done);
}

inline void gemm_int8_panel(const Int8Panel& g) {
  if (g.width == 2 * WideLanes::kLanes) {
    int8_columns<WideLanes, 2, WideLanes::kLanes == 16 ? 12 : 6>(g);
  } else if (g.width == WideLanes::kLanes) {
    int8_columns<WideLanes, 1, 12>(g);
  } else {
    int8_columns<HalfLanes, 1, 12>(g);
  }
}

/// to[i] = from[i], 8 bits to 16. Short runs too go in whole vectors, the last one overlapping the one before
/// it.
inline void widen_int8(int64_t count, const int8_t* from, int16_t* to) {
  constexpr int64_t kWide = WideLanes::kLanes, kHalf = HalfLanes::kLanes;
  if (count >= kWide) {
    for (int64_t i = 0; i + kWide < count; i += kWide) WideLanes::widen(to + i, from + i);
    WideLanes::widen(to + count - kWide, from + count - kWide);
  } else if (count >= kHalf) {
    HalfLanes::widen(to, from);
    HalfLanes::widen(to + count - kHalf, from + count - kHalf);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = from[i];
  }
}

}  // namespace
}  // namespace qlimit
