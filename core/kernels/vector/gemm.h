// The inner part of the matrix product: a tile of C kept in registers.
//
//   C[i, j] = sum over p of A[i, p] * B[p, j]
//
// A tile of kRows x (kVectors * lanes) elements of C stays in registers while p runs over the whole depth.
// Each step loads kVectors vectors of B (contiguous, because B is packed into panels of that width) and
// broadcasts kRows elements of A: kRows * kVectors multiply-adds for kRows + kVectors loads. With 32
// registers (AVX-512, NEON) 12 x 2 vectors leave room for the operands; the multiply-add units are then the
// limit, not the loads. AVX2 and SSE have 16 registers: 6 x 2. A is read where it lies, through two strides,
// so neither A nor its transpose is ever copied.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes, int kVectors, int kRows>
inline void gemm_tile(const GemmPanel& g, const Real* a, Real* c, int64_t c_row_stride, const Real* bias) {
  using V = Vector<Real, kBytes>;
  constexpr int64_t kWidth = kVectors * V::kLanes;
  const int64_t row_stride = g.row_stride, column_stride = g.column_stride;
  const Real* panel = g.panel;
  typename V::Type sum[kRows][kVectors];
  clear(sum);
  for (int64_t p = 0; p < g.k; ++p, a += column_stride, panel += kWidth) {
    typename V::Type b[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) b[v] = V::load(panel + v * V::kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const typename V::Type x = V::broadcast(a[i * row_stride]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] += x * b[v];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      Real* to = c + i * c_row_stride + v * V::kLanes;
      typename V::Type y = sum[i][v];
      if (bias) y += V::load(bias + v * V::kLanes);
      if (g.epilogue.clamps) {
        y = V::min(V::broadcast(g.epilogue.high), V::max(V::broadcast(g.epilogue.low), y));
      }
      V::store(to, y);
    }
  }
}

// A panel whose last columns lie outside of C: the tile goes through a full-width buffer.
template <int kBytes, int kVectors, int kRows>
void gemm_edge_tile(const GemmPanel& g, const Real* a, Real* c) {
  constexpr int64_t kWidth = kVectors * Vector<Real, kBytes>::kLanes;
  Real tile[kRows * kWidth];
  Real bias[kWidth] = {};
  for (int64_t j = 0; g.epilogue.bias && j < g.columns; ++j) bias[j] = g.epilogue.bias[j];
  gemm_tile<kBytes, kVectors, kRows>(g, a, tile, kWidth, bias);
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < g.columns; ++j) c[i * g.c_row_stride + j] = tile[i * kWidth + j];
  }
}

// Tiles of kRows rows from row `done` on, as many as fit; returns the first row that is left.
template <int kBytes, int kVectors, int kRows>
int64_t gemm_tiles(const GemmPanel& g, int64_t done) {
  for (; done + kRows <= g.m; done += kRows) {
    const Real* a = g.a + done * g.row_stride;
    Real* c = g.c + done * g.c_row_stride;
    if (g.columns == g.width) {
      gemm_tile<kBytes, kVectors, kRows>(g, a, c, g.c_row_stride, g.epilogue.bias);
    } else {
      gemm_edge_tile<kBytes, kVectors, kRows>(g, a, c);
    }
  }
  return done;
}

template <int kBytes, int kVectors, int kRows>
void gemm_columns(const GemmPanel& g) {
  int64_t done = gemm_tiles<kBytes, kVectors, kRows>(g, 0);
  done = gemm_tiles<kBytes, kVectors, 4>(g, done);
  gemm_tiles<kBytes, kVectors, 1>(g, done);
}

template <int kBytes>
void gemm_panel(const GemmPanel& g) {
  constexpr int64_t kLanes = Vector<Real, kBytes>::kLanes;
  if (g.width == 2 * kLanes) {
    gemm_columns<kBytes, 2, kVectorRegisters == 32 ? 12 : 6>(g);
  } else if (g.width == kLanes) {
    gemm_columns<kBytes, 1, 12>(g);
  } else {
    gemm_columns<kBytes / 2, 1, 12>(g);
  }
}

}  // namespace
}  // namespace qlimit
