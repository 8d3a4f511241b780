#include "core/window.h"

#include <algorithm>

#include "core/error.h"

namespace qlimit {
namespace {

struct Axis {
  int64_t out;
  int64_t before;
};

Axis lay_axis(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, Padding padding) {
  const int64_t effective = (kernel - 1) * dilation + 1;
  const int64_t out =
      padding == Padding::kSame ? (in + stride - 1) / stride : (in + stride - effective) / stride;
  const int64_t total = std::max<int64_t>(0, (out - 1) * stride + effective - in);
  return {out, total / 2};
}

}  // namespace

WindowGeometry lay_window(const char* operation, const Window& w, const Shape& input) {
  if (input.rank() != 4 || input.size() == 0) {
    throw Error(ErrorKind::kUsage, {.what = "wrong input shape",
                                    .where = operation,
                                    .expected = "[N,H,W,C]",
                                    .found = input.to_string()});
  }
  constexpr int64_t kLimit = 1 << 20;  // keeps every product below in range
  for (int64_t number : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w}) {
    if (number < 1 || number > kLimit) {
      throw Error(ErrorKind::kUsage, {.what = "kernel, stride and dilation out of range",
                                      .where = operation,
                                      .expected = concat("1 to ", kLimit),
                                      .found = concat(number)});
    }
  }
  const Axis rows = lay_axis(input[1], w.kernel_h, w.stride_h, w.dilation_h, w.padding);
  const Axis columns = lay_axis(input[2], w.kernel_w, w.stride_w, w.dilation_w, w.padding);
  if (rows.out < 1 || columns.out < 1) {
    throw Error(ErrorKind::kUsage, {.what = "the window does not fit into the image",
                                    .where = operation,
                                    .expected = concat("at least ", (w.kernel_h - 1) * w.dilation_h + 1, "x",
                                                       (w.kernel_w - 1) * w.dilation_w + 1),
                                    .found = input.to_string(),
                                    .hint = "use padding same or a smaller kernel"});
  }
  return {.batch = input[0],
          .in_h = input[1],
          .in_w = input[2],
          .channels = input[3],
          .out_h = rows.out,
          .out_w = columns.out,
          .pad_top = rows.before,
          .pad_left = columns.before,
          .window = w};
}

WindowGeometry lay_pool(const char* operation, const Window& window, const Shape& input) {
  if (window.dilation_h != 1 || window.dilation_w != 1) {
    throw Error(ErrorKind::kUsage, {.what = "a pool's window cannot be dilated",
                                    .where = operation,
                                    .expected = "dilation 1x1",
                                    .found = concat(window.dilation_h, "x", window.dilation_w)});
  }
  return lay_window(operation, window, input);
}

}  // namespace qlimit
