// Affine quantization: the one place that chooses scales and zero points.
//
// A number q of b bits, 2 to 8, stands for the real number r = scale * (q - zero_point). Activations use the
// whole of [-2^(b-1), 2^(b-1) - 1] with any zero point on it, weights the narrow symmetric range without the
// least number and with zero point 0, biases int32 with the scale of the accumulator they are added to:
//
//   bits         8           7         6         5         4        3        2
//   activations  [-128,127]  [-64,63]  [-32,31]  [-16,15]  [-8,7]   [-4,3]   [-2,1]
//   weights      [-127,127]  [-63,63]  [-31,31]  [-15,15]  [-7,7]   [-3,3]   {-1,0,1}: ternary
//
// Whatever the width, a number lies in an int8_t. For 8 bits the rules are TFLite's, in its float32
// arithmetic, so that the same ranges give the same parameters (tools/optimize/quantization_utils.cc), and so
// is [-7,7] for 4-bit weights; the other widths follow the same formulas. Which range is a good one is not
// decided here but by an observer (quant/observer.h).
//
//   AffineParams p = activation_params({.min = -1.0f, .max = 2.0f});     // scale 3/255, zero point -43
//   int8_t q = quantize(0.5f, p);                                        // 43 + -43 = 0
//   float r = dequantize(q, p);                                          // 43 * 3/255 = 0.50588
//   AffineParams c = activation_params({.min = -1.0f, .max = 2.0f}, 4);  // scale 3/15, zero point -3
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace qlimit {

inline constexpr int32_t kInt8Min = -128;
inline constexpr int32_t kInt8Max = 127;
inline constexpr int kLeastBits = 2;
inline constexpr int kMostBits = 8;

/// The greatest weight of this many bits, 2^(bits-1) - 1. The least is its opposite: -2^(bits-1) is not used,
/// so the range is symmetric, and two products of 8-bit numbers fit into 16 bits (Jacob et al. 2018, appendix
/// B).
constexpr int32_t weight_max(int bits) { return (int32_t{1} << (bits - 1)) - 1; }

/// How the integers of a tensor map to real numbers: r = scale * (q - zero_point), scale > 0. The integers
/// and the zero point lie on the grid of `bits`, 2 to 8.
struct AffineParams {
  float scale = 1.0f;
  int32_t zero_point = 0;
  int32_t bits = kMostBits;

  int32_t low() const { return -(int32_t{1} << (bits - 1)); }
  int32_t high() const { return (int32_t{1} << (bits - 1)) - 1; }
  bool operator==(const AffineParams&) const = default;
};

/// "scale 0.05, zero point -3, 8 bits", with as many digits as tell the scale from every other.
std::string to_string(const AffineParams& params);

/// Throws kUsage, with `name` in the message, unless `bits` is from 2 to 8.
void check_bits(int bits, const char* name);

/// The real numbers that an activation takes, as an observer saw or chose them.
struct Range {
  float min = 0.0f;
  float max = 0.0f;
  bool operator==(const Range&) const = default;
};

/// Softmax has a fixed output: probabilities in steps of 1/256.
inline constexpr AffineParams kSoftmaxParams = {.scale = 1.0f / 256.0f, .zero_point = -128};

/// Parameters of an activation with the given range, which is first extended to contain 0, so that zero
/// padding and ReLU are exact:
///   scale = (max - min) / (2^bits - 1),   zero_point = round(low - min / scale) within [low,high],
/// 255, -128 and 127 for 8 bits. A range of at most 1e-6 (a layer that is always 0) is widened to at least
/// 5e-7 on both sides of 0, as TFLite's converter does, so the scale is never 0. Throws kNumeric for a range
/// that is not finite, kUsage for bits other than 2 to 8.
AffineParams activation_params(Range range, int bits = kMostBits);

/// Whether weights have one scale for the whole tensor or one for each output channel.
enum class Granularity { kPerTensor, kPerChannel };

/// The integers of a layer with weights.
struct QuantizedFilter {
  Tensor<int8_t> weight;      // the layout of the float weight, zero point 0
  std::vector<float> scales;  // one (per tensor), or one for each output channel
  std::vector<int32_t> bias;  // one for each output channel; zeros if the layer has none
  int bits = kMostBits;       // of a weight

  size_t scale_index(int64_t channel) const { return scales.size() == 1 ? 0 : static_cast<size_t>(channel); }
  float scale(int64_t channel) const { return scales[scale_index(channel)]; }
};

/// Quantizes weight and bias of one layer.
/// weight: conv [O,KH,KW,C] and dense [O,I] with `axis` 0, depthwise [1,KH,KW,C] with axis 3: `axis` is the
/// output channel. bias: [O], or empty. For each channel, or all together, with half = max |w| and top =
/// weight_max(bits), 127 for 8 bits:
///   scale = half / top,   w_q = round(w * (top / half)),   b_q = round(b * (1 / (input_scale * scale)))
/// after `half` was enlarged where the bias would need more than 2^30 (enlarge_for_bias). A channel of zeros
/// has scale 1 if its bias needs no larger one. Throws kNumeric for weights or biases that are not finite,
/// kUsage for shapes that do not fit and bits other than 2 to 8.
QuantizedFilter quantize_filter(const Tensor<float>& weight, const Tensor<float>& bias, int axis,
                                Granularity granularity, float input_scale, int bits = kMostBits);

/// The same with half ranges that somebody else chose, for example to clip outliers; one, or one for each
/// channel. Throws kNumeric for one that is negative or not finite, too.
QuantizedFilter quantize_filter(const Tensor<float>& weight, const Tensor<float>& bias, int axis,
                                std::vector<float> half_ranges, float input_scale, int bits = kMostBits);

/// max |w| of the tensor, or of each channel along `axis`.
std::vector<float> weight_half_ranges(const Tensor<float>& weight, int axis, Granularity granularity);

/// Enlarges half ranges of weights so that |b| / (input_scale * half / weight_max(bits)) stays within 2^30. A
/// channel that batch norm has all but switched off has tiny weights and a bias that is not tiny; without
/// this its bias would saturate (TFLite, AdjustWeightsForBiasScale).
void enlarge_for_bias(std::vector<float>& half_ranges, const Tensor<float>& bias, float input_scale,
                      int bits = kMostBits);

/// One number: round(x / scale) + zero_point in [low,high], a float32 division, ties away from zero (TFLite,
/// AffineQuantize). What lies outside saturates, infinities too; TFLite leaves quotients beyond 2^31
/// undefined. Throws kNumeric if x is not a number.
int8_t quantize(float x, AffineParams params);

/// scale * (q - zero_point), the product in double, rounded once.
inline float dequantize(int8_t q, AffineParams params) {
  return static_cast<float>(static_cast<double>(params.scale) * (q - params.zero_point));
}

}  // namespace qlimit
