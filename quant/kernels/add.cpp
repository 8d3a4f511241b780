#include "quant/kernels/add.h"

#include <algorithm>

#include "core/error.h"

namespace qlimit::int8 {
namespace {

constexpr int kLeftShift = 20;

using Sizes = std::array<int64_t, Shape::kMaxRank>;

Sizes pad_front(const Shape& shape) {
  Sizes sizes;
  sizes.fill(1);
  std::copy(shape.begin(), shape.end(), sizes.end() - shape.rank());
  return sizes;
}

Sizes broadcast_strides(const Sizes& from) {
  Sizes strides;
  int64_t stride = 1;
  for (size_t i = Shape::kMaxRank; i-- > 0;) {
    strides[i] = from[i] == 1 ? 0 : stride;
    stride *= from[i];
  }
  return strides;
}

int32_t on_common_scale(const Addend& addend, int8_t x, Rounding rounding) {
  const int32_t fine = (x - addend.zero_point) * (1 << kLeftShift);
  return multiply_by_quantized_multiplier(fine, addend.multiplier, rounding);
}

}  // namespace

AddParams prepare_add(const Shape& first, AffineParams first_params, const Shape& second,
                      AffineParams second_params, const OutputStage& output) {
  const Sizes first_sizes = pad_front(first);
  const Sizes second_sizes = pad_front(second);
  AddParams p;
  for (size_t i = 0; i < p.sizes.size(); ++i) {
    if (first_sizes[i] != second_sizes[i] && first_sizes[i] != 1 && second_sizes[i] != 1) {
      throw Error(ErrorKind::kUsage, {.what = "shapes do not fit",
                                      .where = "add",
                                      .expected = "equal sizes, or 1",
                                      .found = concat(first.to_string(), " and ", second.to_string())});
    }
    p.sizes[i] = first_sizes[i] == 1 ? second_sizes[i] : first_sizes[i];
  }

  const double first_scale = first_params.scale;
  const double second_scale = second_params.scale;
  const double common = 2 * std::max(first_scale, second_scale);
  const double back = common / ((1 << kLeftShift) * static_cast<double>(output.params.scale));
  if (!(back < 1)) {
    throw Error(ErrorKind::kNumeric, {.what = "the output scale is too small beside the inputs'",
                                      .where = "add",
                                      .expected = concat("more than ", common / (1 << kLeftShift)),
                                      .found = concat(output.params.scale)});
  }
  p.first = {.zero_point = first_params.zero_point,
             .multiplier = quantize_multiplier(first_scale / common, output.rounding),
             .strides = broadcast_strides(first_sizes)};
  p.second = {.zero_point = second_params.zero_point,
              .multiplier = quantize_multiplier(second_scale / common, output.rounding),
              .strides = broadcast_strides(second_sizes)};
  p.multiplier = quantize_multiplier(back, output.rounding);
  p.out = output_clamp(output.activation, output.params);
  p.rounding = output.rounding;
  return p;
}

void add(const AddParams& p, const int8_t* x1, const int8_t* x2, int8_t* y) {
  const Sizes& s1 = p.first.strides;
  const Sizes& s2 = p.second.strides;
  for (int64_t a = 0; a < p.sizes[0]; ++a) {
    for (int64_t b = 0; b < p.sizes[1]; ++b) {
      for (int64_t c = 0; c < p.sizes[2]; ++c) {
        const int8_t* row1 = x1 + a * s1[0] + b * s1[1] + c * s1[2];
        const int8_t* row2 = x2 + a * s2[0] + b * s2[1] + c * s2[2];
        for (int64_t d = 0; d < p.sizes[3]; ++d) {
          const int32_t sum = on_common_scale(p.first, row1[d * s1[3]], p.rounding) +
                              on_common_scale(p.second, row2[d * s2[3]], p.rounding);
          *y++ = requantize(sum, p.multiplier, p.out, p.rounding);
        }
      }
    }
  }
}

}  // namespace qlimit::int8
