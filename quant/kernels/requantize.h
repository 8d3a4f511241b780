// From one scale and zero point to another, number by number:
//
//   y = clamp((x - z_in) * M + z_out)    with M = s_in / s_out
//
// A stand-alone ReLU is the same with a tighter clamp.
#pragma once

#include <cstdint>

#include "quant/fixed_point.h"
#include "quant/runtime.h"

namespace qlimit::int8 {

struct RequantizeParams {
  int32_t input_zero_point = 0;
  QuantizedMultiplier multiplier;
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;
};

/// M in double (TFLite's QUANTIZE from int8 to int8, reference/requantize.h).
RequantizeParams prepare_requantize(AffineParams input, const OutputStage& output);

/// A stand-alone RELU or RELU6; output.activation says which. One that follows a convolution is better fused
/// into that. Runtimes differ:
/// - TFLite rounds M to float32 (kernels/activations.cc).
/// - TFLM forms M in double, and its RELU6 clamps at the input's 0 and 6 and copies the rest, whatever the
///   output's scale and zero point are (micro/kernels/activations_common.cc).
RequantizeParams prepare_relu(AffineParams input, const OutputStage& output,
                              Runtime runtime = Runtime::kTflite);

/// x, y: n numbers; y may be x.
void requantize(const RequantizeParams& params, const int8_t* x, int64_t n, int8_t* y);

}  // namespace qlimit::int8
