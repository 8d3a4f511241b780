#include "quant/kernels/pad.h"

#include <algorithm>

#include "core/error.h"

namespace qlimit {

PadParams prepare_pad(const Shape& input, const PadParams::Axes& before, const PadParams::Axes& after) {
  PadParams p = {.sizes = {1, 1, 1, 1}, .before = before, .padded = {}};
  std::copy(input.begin(), input.end(), p.sizes.begin());
  for (size_t axis = 0; axis < before.size(); ++axis) {
    const bool exists = static_cast<int>(axis) < input.rank();
    if (before[axis] < 0 || after[axis] < 0 || (!exists && (before[axis] != 0 || after[axis] != 0))) {
      throw Error(ErrorKind::kUsage,
                  {.what = "wrong padding",
                   .where = "pad",
                   .expected = concat("0 or more along the axes of ", input.to_string()),
                   .found = concat(before[axis], " and ", after[axis], " along axis ", axis)});
    }
    p.padded[axis] = before[axis] + p.sizes[axis] + after[axis];
  }
  return p;
}

template <typename T>
void pad(const PadParams& p, const T* x, T value, T* y) {
  const auto& [n1, n2, n3, width] = p.sizes;
  std::fill(y, y + p.padded[0] * p.padded[1] * p.padded[2] * p.padded[3], value);
  for (int64_t a = 0; a < n1; ++a) {
    for (int64_t b = 0; b < n2; ++b) {
      for (int64_t c = 0; c < n3; ++c, x += width) {
        const int64_t row =
            ((a + p.before[0]) * p.padded[1] + b + p.before[1]) * p.padded[2] + c + p.before[2];
        std::copy(x, x + width, y + row * p.padded[3] + p.before[3]);
      }
    }
  }
}

template void pad(const PadParams&, const float*, float, float*);
template void pad(const PadParams&, const int8_t*, int8_t, int8_t*);

}  // namespace qlimit
