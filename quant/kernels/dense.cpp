#include "quant/kernels/dense.h"

#include "core/error.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

int8_t finish(const DenseParams& p, int32_t acc, int64_t output) {
  const size_t o = static_cast<size_t>(output);
  if (p.rounding == Rounding::kFloat64) return requantize_float64(acc, p.real_multipliers[o], p.out);
  return requantize(acc, p.multipliers[o], p.out, p.rounding);
}

}  // namespace

DenseParams prepare_dense(const Shape& input, AffineParams input_params, const QuantizedFilter& filter,
                          const OutputStage& output, Runtime runtime) {
  const Shape& weight = filter.weight.shape();
  if (input.rank() != 2 || weight.rank() != 2 || input[1] != weight[1] || weight.size() == 0) {
    throw Error(ErrorKind::kUsage, {.what = "wrong shapes",
                                    .where = "dense",
                                    .expected = "input [N,I] and weight [O,I]",
                                    .found = concat(input.to_string(), " and ", weight.to_string())});
  }
  const std::vector<int32_t> folded_bias = fold_zero_point("dense", filter, 0, input_params.zero_point);
  DenseParams p = {.batch = input[0],
                   .inputs = weight[1],
                   .outputs = weight[0],
                   .input_zero_point = input_params.zero_point,
                   .weight = filter.weight,
                   .bias = filter.bias,
                   .multipliers = channel_multipliers(filter, weight[0], input_params.scale, output),
                   .real_multipliers = {},
                   .out = output_clamp(output.activation, output.params),
                   .rounding = output.rounding,
                   .packed = PackedConvInt8(lay_window("dense", {}, {1, 1, input[0], input[1]}),
                                            filter.weight.data(), weight[0]),
                   .requantizer = {}};
  if (filter.scales.size() == 1 && runtime != Runtime::kTfliteMicro) {
    const double real = dense_multiplier(input_params.scale, filter.scales[0], output.params.scale);
    p.multipliers.assign(p.multipliers.size(), quantize_multiplier(real, output.rounding));
  }
  if (output.rounding == Rounding::kFloat64) {
    for (size_t o = 0; o < p.multipliers.size(); ++o) {
      const float weight_scale = filter.scale(static_cast<int64_t>(o));
      p.real_multipliers.push_back(
          convolution_multiplier(input_params.scale, weight_scale, output.params.scale));
    }
  }
  p.requantizer =
      SumRequantizer(p.packed.columns(), offset_bias(folded_bias, filter.weight, p.packed.image_offset()),
                     p.multipliers, p.out, p.rounding);
  return p;
}

void dense_reference(const DenseParams& p, const int8_t* x, int8_t* y) {
  for (int64_t n = 0; n < p.batch; ++n) {
    for (int64_t o = 0; o < p.outputs; ++o) {
      int32_t acc = 0;
      for (int64_t i = 0; i < p.inputs; ++i)
        acc += p.weight[o * p.inputs + i] * (x[n * p.inputs + i] - p.input_zero_point);
      acc += p.bias[static_cast<size_t>(o)];
      y[n * p.outputs + o] = finish(p, acc, o);
    }
  }
}

int64_t dense_workspace_bytes(const DenseParams& p) {
  return p.batch * p.packed.columns() * static_cast<int64_t>(sizeof(int32_t)) + p.packed.scratch_bytes();
}

void dense(const DenseParams& p, const int8_t* x, void* workspace, int8_t* y) {
  auto* sums = static_cast<int32_t*>(workspace);
  auto* scratch = reinterpret_cast<std::byte*>(sums + p.batch * p.packed.columns());
  constexpr int8_t kNoBorder = 0;
  if (p.requantizer.in_registers() && p.rounding != Rounding::kFloat64) {
    const ChannelRequantizer scales = p.requantizer.scales();
    p.packed.run(x, kNoBorder, 0, 1, scratch, {.scales = &scales, .out = y});
    return;
  }
  p.packed.run(x, kNoBorder, 0, 1, scratch, {.sums = sums});
  if (p.rounding != Rounding::kFloat64) return p.requantizer.run(p.batch, sums, y);
  const int32_t* bias = p.requantizer.scales().bias;
  for (int64_t n = 0; n < p.batch; ++n, sums += p.packed.columns()) {
    for (int64_t o = 0; o < p.outputs; ++o) *y++ = finish(p, wrapping_add(sums[o], bias[o]), o);
  }
}

}  // namespace qlimit::int8
