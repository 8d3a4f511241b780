// Matrix product of 8-bit integers with 32-bit sums, and the way of the sums to 8-bit outputs: what an
// integer convolution or dense layer spends its time on.
//
//   PackedInt8Matrix filters(weights, n, k);                    // once
//   im2col_int8(..., filters.row_stride(), ..., patches);       // 8-bit numbers widened to 16 bits
//   gemm_int8(m, patches, filters, sums);                       // sums[m, filters.columns()]
//   requantize_int8({.rows = m, ..., .sums = sums, .out = y});
//
// Both are exact, so every instruction set gives the same bits.
#pragma once

#include <cstdint>

#include "core/kernels/table.h"
#include "core/tensor.h"

namespace qlimit {

/// Filters b[n,k], rearranged into panels for the product: packed once, read-only afterwards. It holds the
/// layout of the instruction set that was active when it was made.
class PackedInt8Matrix {
 public:
  PackedInt8Matrix() = default;
  PackedInt8Matrix(const int8_t* b, int64_t n, int64_t k);

  /// 16-bit elements from one row of the left factor to the next: k rounded up to pairs; the odd one must be
  /// 0.
  int64_t row_stride() const { return 2 * pairs_; }
  /// Columns of the product: n rounded up to whole vectors; those from n on are 0.
  int64_t columns() const { return columns_; }

 private:
  friend void gemm_int8(int64_t, const int16_t*, const PackedInt8Matrix&, int32_t*);

  int64_t pairs_ = 0, columns_ = 0;
  const KernelTable* table_ = nullptr;
  Tensor<int16_t> panels_;
};

/// c[i,j] = sum over l of a[i,l] * b[j,l], exactly. a: [m, b.row_stride()], numbers of 8 bits in 16; c: [m,
/// b.columns()]. The sums must fit into int32, which |a| <= 128, |b| <= 127 and k <= 2^17 ensure.
void gemm_int8(int64_t m, const int16_t* a, const PackedInt8Matrix& b, int32_t* c);

/// out = clamp(round(sum + bias) * multiplier / 2^(31 + right_shift)) + zero_point), rounded twice as
/// TFLite's reference kernels do (quant/fixed_point.h, Rounding::kDouble), per channel. sum + bias must fit
/// into int32.
void requantize_int8(const RequantizeBlock& block);

/// y = clamp(round(x / scale), low, high) + zero_point, half away from zero, the division in float32. No x is
/// NaN; low and high lie within -512 ... 512, the results within int8.
void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y);

/// to[i] = from[i].
void widen_int8(int64_t count, const int8_t* from, int16_t* to);

/// The definition of the product: a: [m,k] (rows are patches of the input), b: [n,k] (rows are filters), c:
/// [m,n].
void gemm_int8_reference(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c);

}  // namespace qlimit
