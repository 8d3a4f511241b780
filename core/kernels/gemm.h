// The product of two matrices of Real.
//
//   PackedMatrix weights({w, 1, k}, k, n);              // B = the transpose of w[n,k]
//   gemm(m, {patches, k, 1}, weights, y, n);            // y[m,n] = patches * B
//
// `gemm` is the fast one: vectors, tiles in registers, the set of the processor. `gemm_reference` is the
// definition.
#pragma once

#include "core/kernels/table.h"
#include "core/tensor.h"

namespace qlimit {

/// A matrix where it lies: element (i,j) at data[i*row_stride + j*column_stride]. {x, columns, 1} is a
/// row-major matrix x[rows,columns], {x, 1, columns} its transpose.
struct MatrixView {
  const Real* data;
  int64_t row_stride;
  int64_t column_stride;
};

/// The right factor B[k,n] of a product, rearranged into column panels so that the inner loop reads it
/// straight on. Packed once, used for any number of products. Read-only afterwards, so threads may share it.
/// It holds the layout of the instruction set that was active when it was made.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(const MatrixView& b, int64_t k, int64_t n);

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }

 private:
  friend void gemm(int64_t, const MatrixView&, const PackedMatrix&, Real*, int64_t, const Epilogue&);

  int64_t k_ = 0, n_ = 0;
  const KernelTable* table_ = nullptr;
  Tensor<Real> panels_;
};

/// c[m,n] = a[m,k] * b, then the epilogue; row i of c begins at c + i*c_row_stride. Runs on the calling
/// thread: callers cut the rows among threads. Each element is summed in order of p = 0 ... k-1.
void gemm(int64_t m, const MatrixView& a, const PackedMatrix& b, Real* c, int64_t c_row_stride,
          const Epilogue& epilogue = {});

/// The definition, three loops: c[i,j] = sum over p of a(i,p) * b(p,j).
void gemm_reference(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b, Real* c,
                    int64_t c_row_stride, const Epilogue& epilogue = {});

}  // namespace qlimit
