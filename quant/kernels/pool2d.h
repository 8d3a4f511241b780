// Integer pooling. Input and output share scale and zero point, so both pools work on the 8-bit numbers
// themselves; a window counts only its taps inside the image (TFLite, reference/integer_ops/pooling.h).
#pragma once

#include <cstdint>

#include "core/window.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// A pool made ready for inputs of one shape.
struct Pool2DParams {
  WindowGeometry geometry;
  OutputClamp out;
};

/// input: [N,H,W,C]; `params` are those of input and output alike. The output is [N,OH,OW,C]. Throws kUsage
/// if the window does not fit or is dilated, kUnsupported if it has more than 2^23 taps.
Pool2DParams prepare_pool2d(const Shape& input, AffineParams params, const Window& window,
                            Activation activation);

/// The greatest of the window's numbers, clamped. x: [N,H,W,C], y: [N,OH,OW,C].
void max_pool2d(const Pool2DParams& params, const int8_t* x, int8_t* y);

/// The mean of the window's numbers, ties away from the number 0 (not from the real zero), clamped. x: [N,H,W,C],
/// y: [N,OH,OW,C].
void average_pool2d(const Pool2DParams& params, const int8_t* x, int8_t* y);

}  // namespace qlimit::int8
