// Integer depthwise convolution: input channel c has `multiplier` filters of its own, with outputs
// o = c*multiplier + m:
//
//   acc = sum over ky, kx of w[0,ky,kx,o] * (x[n,iy,ix,c] - z_in) + bias[o]
//   y   = clamp(acc * M[o] + z_out)
//
// (TFLite, reference/integer_ops/depthwise_conv.h). As for the full convolution there are two forms.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/depthwise.h"
#include "core/tensor.h"
#include "core/window.h"
#include "quant/fixed_point.h"
#include "quant/kernels/sums.h"

namespace qlimit::int8 {

/// A depthwise convolution made ready for inputs of one shape.
struct DepthwiseConv2DParams {
  WindowGeometry geometry;
  int64_t out_channels = 1;
  int32_t input_zero_point = 0;
  Tensor<int8_t> weight;                         // [1,KH,KW,O]
  std::vector<int32_t> bias;                     // [O]
  std::vector<QuantizedMultiplier> multipliers;  // [O]
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;

  // The fast form: filters in vectors, and the bias with the zero point folded in. Only if `is_fast`.
  bool is_fast = false;
  PackedDepthwiseInt8 packed;
  SumRequantizer requantizer;
};

/// input: [N,H,W,C]; filter.weight: [1,KH,KW,C*multiplier] with the window's kernel size. The output is
/// [N,OH,OW,C*multiplier]. Throws as prepare_conv2d.
DepthwiseConv2DParams prepare_depthwise_conv2d(const Shape& input, AffineParams input_params,
                                               const QuantizedFilter& filter, const Window& window,
                                               const OutputStage& output);

/// The formula above. x: [N,H,W,C], y: [N,OH,OW,C*multiplier].
void depthwise_conv2d_reference(const DepthwiseConv2DParams& params, const int8_t* x, int8_t* y);

/// The same through the fast kernel (windows that reach far beyond the image take the formula). `workspace`:
/// depthwise_conv2d_workspace_bytes, aligned to 4.
void depthwise_conv2d(const DepthwiseConv2DParams& params, const int8_t* x, void* workspace, int8_t* y);
int64_t depthwise_conv2d_workspace_bytes(const DepthwiseConv2DParams& params);

/// As conv2d_lines.
void depthwise_conv2d_lines(const DepthwiseConv2DParams& params, const int8_t* x, int64_t begin, int64_t end,
                            void* workspace, int8_t* y);

}  // namespace qlimit::int8
