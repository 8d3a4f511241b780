#include "quant/kernels/mul.h"

#include "quant/kernels/pairs.h"

namespace qlimit::int8 {

MulParams prepare_mul(const Shape& first, AffineParams first_params, const Shape& second,
                      AffineParams second_params, const OutputStage& output, Runtime runtime) {
  const auto form = runtime == Runtime::kTfliteMicro ? convolution_multiplier : product_multiplier;
  const double real = form(first_params.scale, second_params.scale, output.params.scale);
  MulParams p = {.pairs = Broadcast("mul", first, second),
                 .first_zero_point = first_params.zero_point,
                 .second_zero_point = second_params.zero_point,
                 .multiplier = quantize_multiplier(real, output.rounding),
                 .out = output_clamp(output.activation, output.params),
                 .rounding = output.rounding};
  p.in_vectors = rescales_in_vectors(p.multiplier, p.rounding);
  p.row.first_scale.zero_point = p.first_zero_point;
  p.row.second_scale.zero_point = p.second_zero_point;
  p.row.out_scale = to_scale(p.out.zero_point, p.multiplier);
  p.row.min = p.out.min;
  p.row.max = p.out.max;
  return p;
}

void mul(const MulParams& p, const int8_t* x1, const int8_t* x2, int8_t* y) {
  if (p.in_vectors) return for_each_pair_row(p.pairs, p.row, x1, x2, y, kernels().multiply_int8);
  p.pairs.for_each([&](int64_t i, int64_t a, int64_t b) {
    const int32_t product = (x1[a] - p.first_zero_point) * (x2[b] - p.second_zero_point);
    y[i] = requantize(product, p.multiplier, p.out, p.rounding);
  });
}

}  // namespace qlimit::int8
