#include "data/augment.h"

#include <algorithm>

namespace qlimit {
namespace {

// Normalizes `count` neighbouring pixels; mirrored, the last one becomes the first. kFixed is the number of
// channels where the compiler is to know it (an unrolled loop is three times as fast), or 0.
template <int kFixed>
void normalize_pixels(const uint8_t* in, int64_t count, bool mirrored, const NormalizationTable& table,
                      float* out) {
  const int64_t channels = kFixed ? kFixed : table.channels();
  const float* values = table.row(0);
  const int64_t step = mirrored ? -channels : channels;
  if (mirrored) in += (count - 1) * channels;
  for (int64_t i = 0; i < count; ++i, in += step, out += channels) {
    for (int64_t c = 0; c < channels; ++c) out[c] = values[c * 256 + in[c]];
  }
}

using NormalizePixels = decltype(&normalize_pixels<0>);

NormalizePixels normalizer(int64_t channels) {
  if (channels == 1) return normalize_pixels<1>;
  if (channels == 3) return normalize_pixels<3>;
  return normalize_pixels<0>;
}

int64_t draw_shift(int64_t pad, Random& random) {
  return static_cast<int64_t>(random.below(static_cast<uint32_t>(2 * pad + 1))) - pad;
}

}  // namespace

Placement draw_placement(const Augmentation& augmentation, Random& random) {
  Placement placement;
  if (augmentation.pad > 0) {
    placement.dy = draw_shift(augmentation.pad, random);
    placement.dx = draw_shift(augmentation.pad, random);
  }
  if (augmentation.flip) placement.mirrored = random.below(2) == 1;
  return placement;
}

void place_image(const uint8_t* in, int64_t height, int64_t width, const Placement& placement,
                 const NormalizationTable& table, float* out) {
  const int64_t channels = table.channels();
  const NormalizePixels normalize = normalizer(channels);
  // The columns of the original that stay in sight, and how many columns of padding stand left of them.
  const int64_t first = std::clamp<int64_t>(placement.dx, 0, width);
  const int64_t last = std::clamp<int64_t>(width + placement.dx, first, width);
  const int64_t gap = first - placement.dx;
  const int64_t left = placement.mirrored ? width - gap - (last - first) : gap;
  for (int64_t y = 0; y < height; ++y, out += width * channels) {
    const int64_t from = y + placement.dy;
    if (from < 0 || from >= height || first == last) {
      std::fill_n(out, width * channels, 0.0f);
      continue;
    }
    float* const begin = out + left * channels;
    float* const end = begin + (last - first) * channels;
    std::fill(out, begin, 0.0f);
    normalize(in + (from * width + first) * channels, last - first, placement.mirrored, table, begin);
    std::fill(end, out + width * channels, 0.0f);
  }
}

}  // namespace qlimit
