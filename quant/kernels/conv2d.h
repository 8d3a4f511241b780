// Integer convolution. For image n, output pixel (oy,ox) and output channel o of group g:
//
//   acc = sum over ky, kx, c of w[o,ky,kx,c] * (x[n, iy, ix, g*C' + c] - z_in) + bias[o]
//   y   = clamp(acc * M[o] + z_out)
//
// with iy and ix as in layers/conv2d.h. Taps outside the image count nothing, as if x were z_in there (TFLite,
// reference/integer_ops/conv.h). Two forms compute the same bits: the reference, which is this formula, and
// the fast one, which moves z_in into the bias and leaves the rest to core/kernels/conv.h.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/conv.h"
#include "core/tensor.h"
#include "core/window.h"
#include "quant/fixed_point.h"
#include "quant/kernels/sums.h"

namespace qlimit::int8 {

/// A convolution made ready for inputs of one shape.
struct Conv2DParams {
  WindowGeometry geometry;
  int64_t groups = 1;
  int64_t out_channels = 1;
  int32_t input_zero_point = 0;
  Tensor<int8_t> weight;                         // [O,KH,KW,C/groups]
  std::vector<int32_t> bias;                     // [O]
  std::vector<QuantizedMultiplier> multipliers;  // [O]
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;

  // The fast form: filters in panels, and the bias with the zero point (and the kernel's offset)
  // folded in, bias - (z_in + offset) * (sum of the channel's weights). Only if `is_fast`.
  bool is_fast = false;
  PackedConvInt8 packed;
  SumRequantizer requantizer;
};

/// input: [N,H,W,C]; filter.weight: [O,KH,KW,C/groups] with the window's kernel size; the number of groups
/// follows from C. The output is [N,OH,OW,O]. Throws kUsage for shapes that do not fit, kNumeric if a sum
/// could exceed int32.
Conv2DParams prepare_conv2d(const Shape& input, AffineParams input_params, const QuantizedFilter& filter,
                            const Window& window, const OutputStage& output);

/// The formula above. x: [N,H,W,C], y: [N,OH,OW,O].
void conv2d_reference(const Conv2DParams& params, const int8_t* x, int8_t* y);

/// The same through the fast kernel (grouped convolutions and windows that reach far beyond the image, which
/// only imported models have, take the formula). `workspace`: conv2d_workspace_bytes, aligned to 4.
void conv2d(const Conv2DParams& params, const int8_t* x, void* workspace, int8_t* y);
int64_t conv2d_workspace_bytes(const Conv2DParams& params);

/// The output lines [begin, end) of one image, for dividing an image among threads, each with a workspace of
/// its own. x, y: that image's. Only if `is_fast`. With max_pool, y is what a 2x2 max pool with stride 2
/// makes of the output, and `begin` and `end` are even (see can_pool).
void conv2d_lines(const Conv2DParams& params, const int8_t* x, int64_t begin, int64_t end, void* workspace,
                  int8_t* y, bool max_pool = false);

}  // namespace qlimit::int8
