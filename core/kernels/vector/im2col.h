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

// Calls inside(patch offset, image offset, length) for each run of patch elements that lie inside the image,
// and outside(patch offset, length) for the others: kernel row by kernel row, so that the tests for the
// image's edges are outside of the loop over the many windows that lie within.
template <typename Inside, typename Outside>
inline void for_each_run(WindowGeometry g, int64_t row_stride, int64_t row_begin, int64_t row_end,
                         const Inside& inside, const Outside& outside) {
  const Window& w = g.window;
  // With dilation the taps of a kernel row are apart in the image: each is a run of its own.
  const int64_t runs = w.dilation_w == 1 ? 1 : w.kernel_w;
  const int64_t taps = w.kernel_w / runs;
  const int64_t length = taps * g.channels;
  const auto edge = [&](int64_t at, int64_t y, int64_t x) {
    const int64_t first = smaller(larger(0, -x), taps);
    const int64_t last = larger(smaller(taps, g.in_w - x), first);
    if (first > 0) outside(at, first * g.channels);
    if (last > first)
      inside(at + first * g.channels, (y * g.in_w + x + first) * g.channels, (last - first) * g.channels);
    if (last < taps) outside(at + last * g.channels, (taps - last) * g.channels);
  };
  for (int64_t oy = row_begin; oy < row_end; ++oy) {
    for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
      const int64_t y = oy * w.stride_h - g.pad_top + ky * w.dilation_h;
      for (int64_t run = 0; run < runs; ++run) {
        int64_t at = (oy - row_begin) * g.out_w * row_stride + (ky * runs + run) * length;
        int64_t x = run * w.dilation_w - g.pad_left;
        if (y < 0 || y >= g.in_h) {
          for (int64_t ox = 0; ox < g.out_w; ++ox, at += row_stride) outside(at, length);
          continue;
        }
        int64_t ox = 0;
        for (; ox < g.out_w && x < 0; ++ox, at += row_stride, x += w.stride_w) edge(at, y, x);
        for (; ox < g.out_w && x + taps <= g.in_w; ++ox, at += row_stride, x += w.stride_w) {
          inside(at, (y * g.in_w + x) * g.channels, length);
        }
        for (; ox < g.out_w; ++ox, at += row_stride, x += w.stride_w) edge(at, y, x);
      }
    }
  }
}

template <int kBytes>
void im2col(const WindowGeometry& g, const Real* image, int64_t row_begin, int64_t row_end, Real* columns) {
  for_each_run(
      g, g.patch_size(), row_begin, row_end,
      [=](int64_t to, int64_t from, int64_t n) { copy_run<kBytes>(columns + to, image + from, n); },
      [=](int64_t to, int64_t n) {
        for (int64_t i = 0; i < n; ++i) columns[to + i] = 0;
      });
}

template <int kBytes>
void col2im(const WindowGeometry& g, const Real* columns, int64_t row_begin, int64_t row_end, Real* image) {
  using V = Vector<Real, kBytes>;
  for_each_run(
      g, g.patch_size(), row_begin, row_end,
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
