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
                   .rows = PackedInt8Matrix(filter.weight.data(), weight[0], weight[1]),
                   .requantizer = {}};
  if (filter.scales.size() == 1 && runtime != Runtime::kTfliteMicro) {
    const double real = dense_multiplier(input_params.scale, filter.scales[0], output.params.scale);
    p.multipliers.assign(p.multipliers.size(), quantize_multiplier(real, output.rounding));
  }
  if (output.rounding == Rounding::kFloat64) {
    for (size_t o = 0; o < p.multipliers.size(); ++o) {
      const float weight_scale = filter.scales.size() == 1 ? filter.scales[0] : filter.scales[o];
      p.real_multipliers.push_back(
          convolution_multiplier(input_params.scale, weight_scale, output.params.scale));
    }
  }
  p.requantizer = SumRequantizer(p.rows.columns(), folded_bias, p.multipliers, p.out, p.rounding);
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
  return p.rows.columns() * static_cast<int64_t>(sizeof(int32_t)) +
         p.rows.row_stride() * static_cast<int64_t>(sizeof(int16_t));
}

void dense(const DenseParams& p, const int8_t* x, void* workspace, int8_t* y) {
  if (p.rounding == Rounding::kFloat64) return dense_reference(p, x, y);
  int32_t* sums = static_cast<int32_t*>(workspace);
  int16_t* row = reinterpret_cast<int16_t*>(sums + p.rows.columns());
  row[p.rows.row_stride() - 1] = 0;
  for (int64_t n = 0; n < p.batch; ++n) {
    widen_int8(p.inputs, x + n * p.inputs, row);
    gemm_int8(1, row, p.rows, sums);
    p.requantizer.run(1, sums, y + n * p.outputs);
  }
}

}  // namespace qlimit::int8
