// The functions that exist once per instruction set, and the table that holds them.
//
// The templates in core/kernels/vector are compiled in isa_generic.cpp, isa_avx2.cpp and isa_avx512.cpp with
// the compiler options of that set; each of these files fills one table. The headers beside this one (gemm.h,
// im2col.h, channel.h, pool.h) are what the rest of the project calls: they check, cut the work and pick the
// function here.
#pragma once

#include <cstdint>

#include "core/real.h"
#include "core/window.h"

namespace qlimit {

/// What happens to an element of a product before it is stored: clamp(value + bias[column], low, high).
struct Epilogue {
  const Real* bias = nullptr;  // one per column; none if null
  bool clamps = false;
  Real low = 0, high = 0;
};

/// One column panel of a matrix product: c[m,columns] = a[m,k] * panel[k,width], columns <= width.
struct GemmPanel {
  int64_t m, k;
  const Real* a;  // element (i,p) at a[i*row_stride + p*column_stride]
  int64_t row_stride, column_stride;
  const Real* panel;
  int64_t width;
  Real* c;
  int64_t c_row_stride;
  int64_t columns;
  bool accumulate;  // add to c instead of replacing it
  Epilogue epilogue;
};

/// One column panel of an integer product: c[m,width] = a[m, 2*pairs] * panel, 8-bit numbers in 16 bits.
struct Int8Panel {
  int64_t m, pairs;
  const int16_t* a;
  int64_t a_row_stride;
  const int16_t* panel;  // [pairs][width][2]
  int64_t width;
  int32_t* c;
  int64_t c_row_stride;
};

/// Rows of sums on their way to 8-bit outputs, see vector/requantize.h.
struct RequantizeBlock {
  int64_t rows, channels, padded_channels;
  const int32_t* sums;          // [rows, padded_channels]
  const int32_t* bias;          // [padded_channels], as the two below
  const int32_t* multipliers;   // 0 or more
  const int32_t* right_shifts;  // 0 ... 31
  int32_t zero_point, min, max;
  int8_t* out;  // [rows, channels]
};

struct KernelTable {
  int64_t panel_widths[3];  // of GEMM column panels, the widest first
  void (*gemm_panel)(const GemmPanel&);

  int64_t int8_panel_widths[3];
  void (*gemm_int8_panel)(const Int8Panel&);
  void (*im2col_int8)(const WindowGeometry&, const int8_t* image, int8_t zero_point, int64_t row_stride,
                      int64_t row_begin, int64_t row_end, int16_t* columns);
  void (*widen_int8)(int64_t count, const int8_t* from, int16_t* to);
  void (*requantize_int8)(const RequantizeBlock&);
  void (*quantize_int8)(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high,
                        const float* x, int8_t* y);

  void (*im2col)(const WindowGeometry&, const Real* image, int64_t row_begin, int64_t row_end, Real* columns);
  void (*col2im)(const WindowGeometry&, const Real* columns, int64_t row_begin, int64_t row_end, Real* image);

  void (*channel_sums)(int64_t rows, int64_t channels, const Real* x, Real* sums);
  void (*channel_squares)(int64_t rows, int64_t channels, const Real* x, const Real* means, Real* sums);
  void (*channel_products)(int64_t rows, int64_t channels, const Real* x, const Real* means, const Real* y,
                           Real* sums);
  void (*channel_affine)(int64_t rows, int64_t channels, const Real* x, const Real* scale, const Real* shift,
                         Real* y);
  void (*channel_affine2)(int64_t rows, int64_t channels, const Real* x, const Real* x_scale, const Real* y,
                          const Real* y_scale, const Real* shift, Real* result);

  void (*clamp)(int64_t count, Real low, Real high, const Real* x, Real* y);
  void (*clamp_backward)(int64_t count, Real low, Real high, const Real* y, const Real* upstream, Real* dx);

  void (*max_pool)(const WindowGeometry&, const Real* image, Real* output, Real* taps);
  void (*max_pool_int8)(const WindowGeometry&, int8_t low, int8_t high, const int8_t* image, int8_t* output);
  void (*max_pool_backward)(const WindowGeometry&, const Real* upstream, const Real* taps, Real* dx);
};

/// The width of the panel that takes the next columns of a matrix: the narrowest that holds all that are
/// left, else the widest.
inline int64_t next_panel_width(const int64_t (&widths)[3], int64_t columns_left) {
  int64_t width = widths[0];
  for (int64_t narrower : widths) {
    if (narrower >= columns_left) width = narrower;
  }
  return width;
}

/// The table of the instruction set in use.
const KernelTable& kernels();

const KernelTable& generic_kernels();
#if defined(__x86_64__)
const KernelTable& avx2_kernels();
const KernelTable& avx512_kernels();
#endif

}  // namespace qlimit
