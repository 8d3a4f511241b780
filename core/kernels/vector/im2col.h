// Patches of an image as rows of a matrix, and back.
//
// Row (oy, ox) of the matrix holds the KH x KW x C input elements that the window covers at output place (oy,
// ox), zeros where it hangs over the edge. With NHWC images and without dilation the KW x C elements of one
// kernel row lie side by side in the image as well as in the patch, so the work is copying short runs.
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

// to[0..n) = from[0..n), in whole vectors with the last one overlapping: runs are short, and often no
// multiple of the vector's length.
template <int kBytes>
inline void copy_run(Real* to, const Real* from, int64_t n) {
  using V = Vector<Real, kBytes>;
  using Half = Vector<Real, kBytes / 2>;
  if (n >= V::kLanes) {
    for (int64_t i = 0; i + V::kLanes < n; i += V::kLanes) V::store(to + i, V::load(from + i));
    V::store(to + n - V::kLanes, V::load(from + n - V::kLanes));
  } else if (n >= Half::kLanes) {
    const auto tail = Half::load(from + n - Half::kLanes);
    Half::store(to, Half::load(from));
    Half::store(to + n - Half::kLanes, tail);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

// Calls run(patch offset, image offset, length) for each run of patch elements that lie inside the image, and
// outside(patch offset, length) for the others, in the order of the patch matrix.
template <typename Inside, typename Outside>
inline void for_each_run(const WindowGeometry& g, int64_t row_begin, int64_t row_end, const Inside& inside,
                         const Outside& outside) {
  const Window& w = g.window;
  const int64_t patch = g.patch_size();
  const int64_t kernel_row = w.kernel_w * g.channels;
  for (int64_t oy = row_begin; oy < row_end; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox) {
      const int64_t row = ((oy - row_begin) * g.out_w + ox) * patch;
      const int64_t x0 = ox * w.stride_w - g.pad_left;
      for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
        const int64_t at = row + ky * kernel_row;
        const int64_t y = oy * w.stride_h - g.pad_top + ky * w.dilation_h;
        if (y < 0 || y >= g.in_h) {
          outside(at, kernel_row);
        } else if (w.dilation_w == 1) {
          const int64_t first = smaller(larger(0, -x0), w.kernel_w);
          const int64_t last = larger(smaller(w.kernel_w, g.in_w - x0), first);
          if (first > 0) outside(at, first * g.channels);
          inside(at + first * g.channels, (y * g.in_w + x0 + first) * g.channels,
                 (last - first) * g.channels);
          if (last < w.kernel_w) outside(at + last * g.channels, (w.kernel_w - last) * g.channels);
        } else {
          for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
            const int64_t x = x0 + kx * w.dilation_w;
            if (x < 0 || x >= g.in_w) {
              outside(at + kx * g.channels, g.channels);
            } else {
              inside(at + kx * g.channels, (y * g.in_w + x) * g.channels, g.channels);
            }
          }
        }
      }
    }
  }
}

template <int kBytes>
void im2col(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end, Real* columns) {
  for_each_run(
      g, row_begin, row_end,
      [=](int64_t to, int64_t from, int64_t n) { copy_run<kBytes>(columns + to, image + from, n); },
      [=](int64_t to, int64_t n) {
        for (int64_t i = 0; i < n; ++i) columns[to + i] = 0;
      });
}

template <int kBytes>
void col2im(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end, Real* image) {
  using V = Vector<Real, kBytes>;
  for_each_run(
      g, row_begin, row_end,
      [=](int64_t from, int64_t to, int64_t n) {
        int64_t i = 0;
        for (; i + V::kLanes <= n; i += V::kLanes) {
          V::store(image + to + i, V::load(image + to + i) + V::load(columns + from + i));
        }
        for (; i < n; ++i) image[to + i] += columns[from + i];
      },
      [](int64_t, int64_t) {});
}

}  // namespace
}  // namespace qlimit
