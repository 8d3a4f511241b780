#include "quant/kernels/mean.h"

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace qlimit::int8 {
namespace {

using Index = std::array<int64_t, Shape::kMaxRank>;

// Multiplier / N, keeping as many bits as an int32 holds: the integer is shifted up before the division and
// the shift taken back in the exponent.
QuantizedMultiplier divide(QuantizedMultiplier m, int64_t count) {
  int shift = std::bit_width(static_cast<uint64_t>(count)) - 1;
  shift = std::min(shift, 31 + m.shift);
  return {static_cast<int32_t>((int64_t{m.multiplier} << shift) / count), m.shift - shift};
}

// Calls body(i0, i1, i2, i3) for all index quadruples below `sizes`, the last the fastest.
template <typename Body>
void for_each(const Index& sizes, const Body& body) {
  for (int64_t a = 0; a < sizes[0]; ++a)
    for (int64_t b = 0; b < sizes[1]; ++b)
      for (int64_t c = 0; c < sizes[2]; ++c)
        for (int64_t d = 0; d < sizes[3]; ++d) body(Index{a, b, c, d});
}

}  // namespace

MeanParams prepare_mean(const Shape& input, AffineParams input_params, const std::vector<int>& axes,
                        const OutputStage& output) {
  MeanParams p;
  p.kept.fill(1);
  p.reduced.fill(1);
  std::copy(input.begin(), input.end(), p.kept.begin());
  for (int axis : axes) {
    const int from_front = axis < 0 ? axis + input.rank() : axis;
    if (from_front < 0 || from_front >= input.rank()) {
      throw Error(ErrorKind::kUsage, {.what = "no such axis",
                                      .where = "mean",
                                      .expected = concat("an axis of ", input.to_string()),
                                      .found = concat(axis)});
    }
    const size_t at = static_cast<size_t>(from_front);
    p.kept[at] = 1;
    p.reduced[at] = input[from_front];
  }
  const int64_t count = p.reduced[0] * p.reduced[1] * p.reduced[2] * p.reduced[3];
  constexpr int64_t kMostElements = int64_t{1} << 23;  // 255 * 2^23 < 2^31
  if (count < 1 || count > kMostElements) {
    throw Error(ErrorKind::kUnsupported, {.what = "wrong number of elements in a mean",
                                          .where = input.to_string(),
                                          .expected = concat("1 to ", kMostElements),
                                          .found = concat(count)});
  }
  const double real = rescale_multiplier(input_params.scale, output.params.scale);
  p.offset = static_cast<int32_t>(-count * input_params.zero_point);
  p.multiplier = divide(quantize_multiplier(real, output.rounding), count);
  p.out = output_clamp(output.activation, output.params);
  p.rounding = output.rounding;
  return p;
}

void mean(const MeanParams& p, const int8_t* x, int8_t* y) {
  constexpr int64_t kChannels = 64;  // that are summed side by side
  Index stride;
  int64_t size = 1;
  for (size_t i = Shape::kMaxRank; i-- > 0;) {
    stride[i] = size;
    size *= p.kept[i] * p.reduced[i];
  }
  const auto offset_of = [&](const Index& index) {
    return index[0] * stride[0] + index[1] * stride[1] + index[2] * stride[2] + index[3] * stride[3];
  };
  Index kept_pixels = p.kept, reduced_pixels = p.reduced;
  kept_pixels[3] = reduced_pixels[3] = 1;
  for_each(kept_pixels, [&](const Index& kept) {
    for (int64_t channel = 0; channel < p.kept[3]; channel += kChannels) {
      const int64_t channels = std::min(kChannels, p.kept[3] - channel);
      int32_t sums[kChannels] = {};
      for_each(reduced_pixels, [&](const Index& reduced) {
        const int8_t* from = x + offset_of(kept) + offset_of(reduced) + channel;
        for (int64_t c = 0; c < channels; ++c) sums[c] += from[c];
        for (int64_t i = 1; i < p.reduced[3]; ++i) sums[0] += from[i];  // then there is one channel
      });
      for (int64_t c = 0; c < channels; ++c) {
        *y++ = requantize(sums[c] + p.offset, p.multiplier, p.out, p.rounding);
      }
    }
  });
}

}  // namespace qlimit::int8
