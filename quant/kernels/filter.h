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

/// The bias for images that are stored as x + offset (PackedConvInt8::image_offset): offset * (sum of the
/// channel's weights) less, channels outermost. Sums wrap around, so it may too.
std::vector<int32_t> offset_bias(std::vector<int32_t> bias, const Tensor<int8_t>& weight, int32_t offset);

/// a + b modulo 2^32: a sum that has an offset may leave the range until its bias takes it back.
inline int32_t wrapping_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

/// One multiplier s_in * s_w[c] / s_out for each of `channels` outputs; a single weight scale serves them
/// all.
std::vector<QuantizedMultiplier> channel_multipliers(const QuantizedFilter& filter, int64_t channels,
                                                     float input_scale, const OutputStage& output);

}  // namespace qlimit::int8
