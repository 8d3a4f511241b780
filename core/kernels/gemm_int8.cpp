#include "core/kernels/gemm_int8.h"

#include <algorithm>

namespace qlimit {

PackedInt8Matrix::PackedInt8Matrix(const int8_t* b, int64_t n, int64_t k)
    : pairs_((k + 1) / 2), table_(&kernels()) {
  while (columns_ < n) columns_ += next_panel_width(table_->int8_panel_widths, n - columns_);
  panels_ = Tensor<int16_t>({columns_, row_stride()});
  int16_t* panel = panels_.data();
  for (int64_t j = 0; j < n;) {
    const int64_t width = next_panel_width(table_->int8_panel_widths, n - j);
    for (int64_t column = j; column < std::min(n, j + width); ++column) {
      for (int64_t l = 0; l < k; ++l) panel[(l / 2 * width + column - j) * 2 + l % 2] = b[column * k + l];
    }
    panel += width * row_stride();
    j += width;
  }
}

void gemm_int8(int64_t m, const int16_t* a, const PackedInt8Matrix& b, int32_t* c) {
  const int16_t* panel = b.panels_.data();
  for (int64_t j = 0; j < b.columns_;) {
    const int64_t width = next_panel_width(b.table_->int8_panel_widths, b.columns_ - j);
    b.table_->gemm_int8_panel({.m = m,
                               .pairs = b.pairs_,
                               .a = a,
                               .a_row_stride = b.row_stride(),
                               .panel = panel,
                               .width = width,
                               .c = c + j,
                               .c_row_stride = b.columns_});
    panel += width * b.row_stride();
    j += width;
  }
}

void requantize_int8(const RequantizeBlock& block) { kernels().requantize_int8(block); }

void quantize_int8(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high, const float* x,
                   int8_t* y) {
  kernels().quantize_int8(count, scale, zero_point, low, high, x, y);
}

void widen_int8(int64_t count, const int8_t* from, int16_t* to) { kernels().widen_int8(count, from, to); }

void gemm_int8_reference(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      int32_t sum = 0;
      for (int64_t l = 0; l < k; ++l) sum += int32_t{a[i * k + l]} * int32_t{b[j * k + l]};
      c[i * n + j] = sum;
    }
  }
}

}  // namespace qlimit
