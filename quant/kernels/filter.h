// What the kernels with weights share: checks of the integers they are given, biases with the zero point
// folded in, one multiplier for each output channel.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/affine.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// folded[c] = bias[c] - input_zero_point * sum of channel c's weights, so that
///   sum of w * (x - input_zero_point) + bias = sum of w * x + folded.
/// `axis` is the output channel in the weight. Throws kUsage if weight, scales, bias or zero point do not fit
/// together, kNumeric if some input could drive a sum beyond int32.
std::vector<int32_t> fold_zero_point(const char* operation, const QuantizedFilter& filter, int axis,
                                     int32_t input_zero_point);

/// One multiplier s_in * s_w[c] / s_out for each of `channels` outputs; a single weight scale serves them
/// all.
std::vector<QuantizedMultiplier> channel_multipliers(const QuantizedFilter& filter, int64_t channels,
                                                     float input_scale, const OutputStage& output);

}  // namespace qlimit::int8
