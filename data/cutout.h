// Cutout: a square of each training image is hidden, so that a network cannot rest on one feature alone
// (DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017: squares
// of 16 pixels for CIFAR-10, their centres anywhere in the image).
//
//   const Square square = draw_square(16, height, width, stream);
//   hide_square(square, height, width, channels, out);
#pragma once

#include <cstdint>

#include "core/random.h"

namespace qlimit {

/// Rows top ... top + side - 1, and columns alike; parts of it may lie beyond the image.
struct Square {
  int64_t top = 0;
  int64_t left = 0;
  int64_t side = 0;

  bool operator==(const Square&) const = default;
};

/// A square whose centre is any pixel of the image with the same probability. Of an even side the centre is
/// the first pixel of the lower right quarter.
Square draw_square(int64_t side, int64_t height, int64_t width, Random& random);

/// Sets the pixels of the square to 0, which is the mean colour of normalized images. image: [H,W,C].
void hide_square(const Square& square, int64_t height, int64_t width, int64_t channels, float* image);

}  // namespace qlimit
