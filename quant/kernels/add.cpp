#include "quant/kernels/add.h"

#include <utility>

#include "core/error.h"
#include "quant/kernels/pairs.h"

namespace qlimit::int8 {
namespace {

constexpr int kLeftShift = 20;

int32_t on_common_scale(const Addend& addend, int8_t x, Rounding rounding) {
  const int32_t fine = (x - addend.zero_point) * (1 << kLeftShift);
  return multiply_by_quantized_multiplier(fine, addend.multiplier, rounding);
}

}  // namespace

AddParams prepare_add(const Shape& first, AffineParams first_params, const Shape& second,
                      AffineParams second_params, const OutputStage& output) {
  if (first_params.scale < second_params.scale) {
    AddParams p = prepare_add(second, second_params, first, first_params, output);
    p.swapped = true;
    return p;
  }
  const double common = 2 * double{first_params.scale};
  const double back = common / ((1 << kLeftShift) * static_cast<double>(output.params.scale));
  if (!(back < 1)) {
    throw Error(ErrorKind::kNumeric, {.what = "the output scale is too small beside the inputs'",
                                      .where = "add",
                                      .expected = concat("more than ", common / (1 << kLeftShift)),
                                      .found = concat(output.params.scale)});
  }
  AddParams p = {
      .pairs = Broadcast("add", first, second),
      .larger = {.zero_point = first_params.zero_point,
                 .multiplier = quantize_multiplier(0.5, output.rounding)},
      .smaller = {.zero_point = second_params.zero_point,
                  .multiplier = quantize_multiplier(second_params.scale / common, output.rounding)},
      .multiplier = quantize_multiplier(back, output.rounding),
      .out = output_clamp(output.activation, output.params),
      .rounding = output.rounding};
  p.in_vectors =
      rescales_in_vectors(p.smaller.multiplier, p.rounding) && rescales_in_vectors(p.multiplier, p.rounding);
  p.row.first_scale.zero_point = p.larger.zero_point;
  p.row.second_scale = to_scale(p.smaller.zero_point, p.smaller.multiplier);
  p.row.out_scale = to_scale(p.out.zero_point, p.multiplier);
  p.row.min = p.out.min;
  p.row.max = p.out.max;
  return p;
}

void add(const AddParams& p, const int8_t* x1, const int8_t* x2, int8_t* y) {
  if (p.swapped) std::swap(x1, x2);
  if (p.in_vectors) return for_each_pair_row(p.pairs, p.row, x1, x2, y, kernels().add_int8);
  p.pairs.for_each([&](int64_t i, int64_t a, int64_t b) {
    const int32_t sum =
        on_common_scale(p.larger, x1[a], p.rounding) + on_common_scale(p.smaller, x2[b], p.rounding);
    y[i] = requantize(sum, p.multiplier, p.out, p.rounding);
  });
}

}  // namespace qlimit::int8
