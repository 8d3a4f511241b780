// Integer mean over some axes, with its own output scale: global average pooling.
//
//   y = clamp((sum of x - N * z_in) * M + z_out)    with M = s_in / (s_out * N)
//
// 1/N is folded into the multiplier's integer (TFLite, reference/reduce.h, QuantizedMeanOrSum), so the result
// is not that of an average pool over the whole image.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/shape.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// A mean made ready for inputs of one shape.
struct MeanParams {
  std::array<int64_t, Shape::kMaxRank> kept;     // sizes of the axes that stay, 1 where one is reduced
  std::array<int64_t, Shape::kMaxRank> reduced;  // sizes of the axes that are reduced, 1 where one stays
  int32_t offset = 0;                            // -N * z_in
  QuantizedMultiplier multiplier;
  OutputClamp out;
  Rounding rounding = Rounding::kDouble;
};

/// axes: the axes to average over, in any order, negative ones counted from the last; global average pooling
/// of [N,H,W,C] to [N,C] has {1, 2}. Throws kUsage for an axis that does not exist, kUnsupported for more
/// than 2^23 elements in a mean.
MeanParams prepare_mean(const Shape& input, AffineParams input_params, const std::vector<int>& axes,
                        const OutputStage& output);

/// y: the input's shape without the reduced axes.
void mean(const MeanParams& params, const int8_t* x, int8_t* y);

}  // namespace qlimit::int8
