// LOGISTIC and TANH in integers: like any function of one 8-bit number they are a table (lookup.h); the
// question is with which arithmetic its 256 entries are computed, and runtimes differ:
//
//   TFLite   in float32: round(f(s_in * (q - z_in)) * (1 / s_out)) + z_out (internal/common.h, LUTPopulate)
//   TFLM     in fixed point, as 1/256 or 1/128 of the output's range (reference/integer_ops/logistic.h, tanh.h)
//
//   Lookup table = logistic_table(input_params, kLogisticParams, Runtime::kTflite);
//   lookup(table, x, n, y);
#pragma once

#include "quant/kernels/lookup.h"
#include "quant/runtime.h"

namespace qlimit::int8 {

/// The parameters that TFLite's converter gives the outputs of the two functions. TFLite refuses LOGISTIC
/// with another scale; TFLM computes in these whatever the file says.
inline constexpr AffineParams kLogisticParams = {.scale = 1.0f / 256.0f, .zero_point = -128};
inline constexpr AffineParams kTanhParams = {.scale = 1.0f / 128.0f, .zero_point = 0};

/// 1 / (1 + exp(-r)) of each input. For Runtime::kTfliteMicro throws kUnsupported unless `output` is
/// kLogisticParams, kNumeric for an input scale below 2^-28.
Lookup logistic_table(AffineParams input, AffineParams output, Runtime runtime);

/// tanh(r) of each input; throws likewise, with kTanhParams.
Lookup tanh_table(AffineParams input, AffineParams output, Runtime runtime);

}  // namespace qlimit::int8
