#include "core/kernels/pool.h"

#include <algorithm>

#include "core/kernels/table.h"
#include "core/parallel.h"

namespace qlimit {

void max_pool(const WindowGeometry& g, const Real* x, Real* y, Real* taps) {
  const int64_t in_size = g.in_h * g.in_w * g.channels, out_size = g.out_pixels() * g.channels;
  parallel_for(g.batch, 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      kernels().max_pool(g, x + n * in_size, y + n * out_size, taps + n * out_size);
    }
  });
}

void max_pool_backward(const WindowGeometry& g, const Real* upstream, const Real* taps, Real* dx) {
  const int64_t in_size = g.in_h * g.in_w * g.channels, out_size = g.out_pixels() * g.channels;
  parallel_for(g.batch, 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      std::fill(dx + n * in_size, dx + (n + 1) * in_size, Real(0));
      kernels().max_pool_backward(g, upstream + n * out_size, taps + n * out_size, dx + n * in_size);
    }
  });
}

bool pools_squares(const WindowGeometry& g) {
  const Window& w = g.window;
  return w.kernel_h == 2 && w.kernel_w == 2 && w.stride_h == 2 && w.stride_w == 2 && w.dilation_h == 1 &&
         w.dilation_w == 1 && g.in_h == 2 * g.out_h && g.in_w == 2 * g.out_w;
}

void map_and_pool(const WindowGeometry& g, const Real* x, const ChannelMap& map, Real* y, Real* peaks,
                  Real* taps) {
  const int64_t in_size = g.in_h * g.in_w * g.channels, out_size = g.out_pixels() * g.channels;
  parallel_for(g.batch, 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      kernels().map_and_pool(g, x + n * in_size, map.mapping(), y + n * out_size, peaks + n * out_size,
                             taps + n * out_size);
    }
  });
}

void map_and_pool_backward(const WindowGeometry& g, const Real* x, const ChannelMap& map,
                           const Real* upstream, const Real* taps, const ChannelMapGradient& gradient,
                           Real* dx) {
  const int64_t in_size = g.in_h * g.in_w * g.channels, out_size = g.out_pixels() * g.channels;
  parallel_for(g.batch, 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      kernels().map_and_pool_backward(g, x + n * in_size, map.mapping(), upstream + n * out_size,
                                      taps + n * out_size, gradient.mapping(), dx + n * in_size);
    }
  });
}

void max_pool_int8(const WindowGeometry& g, int8_t low, int8_t high, const int8_t* x, int8_t* y) {
  kernels().max_pool_int8(g, low, high, x, y);
}

}  // namespace qlimit
