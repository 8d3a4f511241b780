// What charts are tested by: whether something was drawn in a colour.
#pragma once

#include <array>

#include "experiments/charts/canvas.h"

namespace qlimit {

/// How many pixels of a part of the picture have just this colour.
inline int count(const Canvas& canvas, Color color, int left, int right) {
  const std::array<uint8_t, 3> wanted = Canvas(1, 1, color).pixel(0, 0);
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = left; x < right; ++x) n += canvas.pixel(x, y) == wanted ? 1 : 0;
  return n;
}
/// Of the whole picture.
inline int count(const Canvas& canvas, Color color) { return count(canvas, color, 0, canvas.width()); }

}  // namespace qlimit
