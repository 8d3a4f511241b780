#include "core/kernels/gemm.h"

#include <algorithm>

namespace qlimit {

PackedMatrix::PackedMatrix(const MatrixView& b, int64_t k, int64_t n) : k_(k), n_(n), table_(&kernels()) {
  int64_t padded = 0;
  for (int64_t j = 0; j < n; j += next_panel_width(table_->panel_widths, n - j))
    padded = j + next_panel_width(table_->panel_widths, n - j);
  panels_ = Tensor<Real>::uninitialized({std::max<int64_t>(1, padded * k)});
  Real* to = panels_.data();
  for (int64_t j = 0; j < n;) {
    const int64_t width = next_panel_width(table_->panel_widths, n - j);
    const int64_t columns = std::min(width, n - j);
    for (int64_t p = 0; p < k; ++p, to += width) {
      const Real* from = b.data + p * b.row_stride + j * b.column_stride;
      for (int64_t i = 0; i < columns; ++i) to[i] = from[i * b.column_stride];
      for (int64_t i = columns; i < width; ++i) to[i] = 0;
    }
    j += width;
  }
}

void gemm(int64_t m, const MatrixView& a, const PackedMatrix& b, Real* c, int64_t c_row_stride,
          const Epilogue& epilogue) {
  const Real* panel = b.panels_.data();
  for (int64_t j = 0; j < b.n_;) {
    const int64_t width = next_panel_width(b.table_->panel_widths, b.n_ - j);
    Epilogue of_panel = epilogue;
    if (epilogue.bias) of_panel.bias += j;
    b.table_->gemm_panel({.m = m,
                          .k = b.k_,
                          .a = a.data,
                          .row_stride = a.row_stride,
                          .column_stride = a.column_stride,
                          .panel = panel,
                          .width = width,
                          .c = c + j,
                          .c_row_stride = c_row_stride,
                          .columns = std::min(width, b.n_ - j),
                          .epilogue = of_panel});
    panel += width * b.k_;
    j += width;
  }
}

void gemm_reference(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b, Real* c,
                    int64_t c_row_stride, const Epilogue& epilogue) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      Real sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        sum +=
            a.data[i * a.row_stride + p * a.column_stride] * b.data[p * b.row_stride + j * b.column_stride];
      }
      if (epilogue.bias) sum += epilogue.bias[j];
      if (epilogue.clamps) sum = std::clamp(sum, epilogue.low, epilogue.high);
      c[i * c_row_stride + j] = sum;
    }
  }
}

}  // namespace qlimit
