// Integer dense layer (TFLite's FULLY_CONNECTED):
//
//   acc = sum over i of w[o,i] * (x[n,i] - z_in) + bias[o],   y = clamp(acc * M[o] + z_out)
//
// In TFLite a single weight scale makes M from a float32 product, one scale for each row from a double one
// (kernels/fully_connected.cc), and outputs show it; TFLM's product is always double. As for convolutions
// there are two forms.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/conv.h"
#include "core/tensor.h"
#include "quant/fixed_point.h"
#include "quant/kernels/sums.h"
#include "quant/runtime.h"

namespace qlimit::int8 {

/// A dense layer made ready for inputs of one shape.
struct DenseParams {
  int64_t batch = 1;
  int64_t inputs = 1;
  int64_t outputs = 1;
  int32_t input_zero_point = 0;
  Tensor<int8_t> weight;                         // [O,I]
  std::vector<int32_t> bias;                     // [O]
  std::vector<QuantizedMultiplier> multipliers;  // [O]
  std::vector<double> real_multipliers;          // [O], for Rounding::kFloat64; else empty
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;

  // The fast form: a convolution with a 1x1 window over a row of `batch` pixels. The bias has the zero
  // point (and the kernel's offset) folded in, bias - (z_in + offset) * (sum of the row's weights).
  PackedConvInt8 packed;
  SumRequantizer requantizer;
};

/// input: [N,I]; filter.weight: [O,I]. The output is [N,O]. runtime: how M is made from a single weight scale;
/// output.rounding: how sums are rounded. Throws as prepare_conv2d.
DenseParams prepare_dense(const Shape& input, AffineParams input_params, const QuantizedFilter& filter,
                          const OutputStage& output, Runtime runtime = Runtime::kTflite);

/// The formula above. x: [N,I], y: [N,O].
void dense_reference(const DenseParams& params, const int8_t* x, int8_t* y);

/// The same through the fast kernel. `workspace`: dense_workspace_bytes, aligned to 4.
void dense(const DenseParams& params, const int8_t* x, void* workspace, int8_t* y);
int64_t dense_workspace_bytes(const DenseParams& params);

}  // namespace qlimit::int8
