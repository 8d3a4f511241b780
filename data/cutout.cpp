#include "data/cutout.h"

#include <algorithm>

namespace qlimit {

Square draw_square(int64_t side, int64_t height, int64_t width, Random& random) {
  const int64_t y = random.below(static_cast<uint32_t>(height));
  const int64_t x = random.below(static_cast<uint32_t>(width));
  return {.top = y - side / 2, .left = x - side / 2, .side = side};
}

void hide_square(const Square& square, int64_t height, int64_t width, int64_t channels, float* image) {
  const int64_t top = std::max<int64_t>(square.top, 0);
  const int64_t bottom = std::min(square.top + square.side, height);
  const int64_t left = std::max<int64_t>(square.left, 0);
  const int64_t right = std::min(square.left + square.side, width);
  if (left >= right) return;
  for (int64_t y = top; y < bottom; ++y)
    std::fill_n(image + (y * width + left) * channels, (right - left) * channels, 0.0f);
}

}  // namespace qlimit
