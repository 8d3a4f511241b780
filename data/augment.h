// Augmentation: each epoch sees an image at another place and sometimes mirrored, so that a small network
// cannot learn the training images by heart.
//
// The usual recipe for CIFAR-10 (He et al., "Deep residual learning for image recognition", 2016,
// section 4.2): pad every side by 4 pixels, cut a window of the original size out at random, mirror it with
// probability 1/2. Padding comes after normalization, so its zeros are the mean colour; black borders would
// be an edge to learn.
//
//   Random stream = Random(seed, "augment").split(epoch).split(index);   // one image's own numbers
//   place_image(pixels, height, width, draw_placement({.pad = 4, .flip = true}, stream), table, out);
#pragma once

#include <cstdint>

#include "core/random.h"
#include "data/normalize.h"

namespace qlimit {

/// What may happen to an image; nothing by default.
struct Augmentation {
  int64_t pad = 0;     // pixels of padding on each side, of which a random window is cut
  bool flip = false;   // mirror left and right, every second image on average
  int64_t cutout = 0;  // side of a square that is hidden afterwards, in pixels (data/cutout.h)
};

/// What does happen to one image: pixel (y,x) of the result is pixel (y + dy, x + dx) of the original, or 0
/// outside it; mirrored comes last.
struct Placement {
  int64_t dy = 0;
  int64_t dx = 0;
  bool mirrored = false;

  bool operator==(const Placement&) const = default;
};

/// dy and dx uniform in -pad ... pad, mirrored with probability 1/2; draws nothing for what is switched off.
Placement draw_placement(const Augmentation& augmentation, Random& random);

/// Writes one image, placed and normalized. in, out: [H,W,C], C = table.channels().
void place_image(const uint8_t* in, int64_t height, int64_t width, const Placement& placement,
                 const NormalizationTable& table, float* out);

}  // namespace qlimit
