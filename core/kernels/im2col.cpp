#include "core/kernels/im2col.h"

namespace qlimit {
namespace {

// Calls visit(index in the matrix, index in the image or -1) for every element of the patch matrix.
template <typename Visit>
void for_each_element(const WindowGeometry& g, int64_t row_begin, int64_t row_end, const Visit& visit) {
  const Window& w = g.window;
  int64_t at = 0;
  for (int64_t oy = row_begin; oy < row_end; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
        for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
          const int64_t y = oy * w.stride_h - g.pad_top + ky * w.dilation_h;
          const int64_t x = ox * w.stride_w - g.pad_left + kx * w.dilation_w;
          const bool inside = y >= 0 && y < g.in_h && x >= 0 && x < g.in_w;
          for (int64_t c = 0; c < g.channels; ++c)
            visit(at++, inside ? (y * g.in_w + x) * g.channels + c : -1);
        }
      }
    }
  }
}

}  // namespace

void im2col(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end, Real* columns) {
  kernels().im2col(g, image, row_begin, row_end, columns);
}

void col2im(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end, Real* image) {
  kernels().col2im(g, columns, row_begin, row_end, image);
}

void im2col_reference(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end,
                      Real* columns) {
  for_each_element(g, row_begin, row_end,
                   [&](int64_t to, int64_t from) { columns[to] = from < 0 ? 0 : image[from]; });
}

void col2im_reference(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end,
                      Real* image) {
  for_each_element(g, row_begin, row_end, [&](int64_t from, int64_t to) {
    if (to >= 0) image[to] += columns[from];
  });
}

}  // namespace qlimit
