#include "quant/kernels/requantize.h"

#include <algorithm>

namespace qlimit::int8 {
namespace {

RequantizeParams prepare(double real, AffineParams input, const OutputStage& output) {
  return {.input_zero_point = input.zero_point,
          .multiplier = quantize_multiplier(real, output.rounding),
          .out = output_clamp(output.activation, output.params),
          .rounding = output.rounding};
}

}  // namespace

RequantizeParams prepare_requantize(AffineParams input, const OutputStage& output) {
  return prepare(rescale_multiplier(input.scale, output.params.scale), input, output);
}

RequantizeParams prepare_relu(AffineParams input, const OutputStage& output, Runtime runtime) {
  if (runtime != Runtime::kTfliteMicro) {
    return prepare(relu_multiplier(input.scale, output.params.scale), input, output);
  }
  if (output.activation != Activation::kRelu6) return prepare_requantize(input, output);
  OutputStage clamp_only = output;
  clamp_only.params = input;
  RequantizeParams params = prepare(1.0, input, clamp_only);
  params.out.min = std::max(params.out.min, output.params.low());  // of fewer bits than the input, perhaps
  params.out.max = std::min(params.out.max, output.params.high());
  return params;
}

void requantize(const RequantizeParams& p, const int8_t* x, int64_t n, int8_t* y) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = qlimit::requantize(x[i] - p.input_zero_point, p.multiplier, p.out, p.rounding);
}

}  // namespace qlimit::int8
