#include "quant/affine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "quant/channel_view.h"

namespace qlimit {
namespace {

constexpr int32_t kBiasMax = std::numeric_limits<int32_t>::max();  // symmetric: -2^31 is not used

// The least half range whose scale and inverse scale are ordinary float32 numbers; smaller ones count as
// zero.
float least_half_range(int32_t top) { return static_cast<float>(top) * std::numeric_limits<float>::min(); }

void check_finite(const Tensor<float>& values, const char* name) {
  const float* bad = std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  if (bad == values.end()) return;
  throw Error(ErrorKind::kNumeric, {.what = concat("a ", name, " is not a finite number"),
                                    .where = concat("element ", bad - values.begin()),
                                    .found = concat(*bad),
                                    .hint = "the training diverged; lower the learning rate"});
}

void check_per_channel(size_t count, int64_t channels, const char* name) {
  if (count == 1 || static_cast<int64_t>(count) == channels) return;
  throw Error(ErrorKind::kUsage, {.what = concat("wrong number of ", name),
                                  .expected = concat("1 or ", channels, ", one for each output channel"),
                                  .found = concat(count)});
}

void check_half_ranges(const std::vector<float>& half_ranges) {
  const auto bad = std::find_if_not(half_ranges.begin(), half_ranges.end(),
                                    [](float half) { return half >= 0 && std::isfinite(half); });
  if (bad == half_ranges.end()) return;
  throw Error(ErrorKind::kNumeric, {.what = "a half range of weights is not usable",
                                    .where = concat("channel ", bad - half_ranges.begin()),
                                    .expected = "a finite number, at least 0",
                                    .found = concat(*bad)});
}

int32_t quantize_bias(float bias, float bias_scale) {
  const float inverse = 1.0f / bias_scale;
  if (!std::isfinite(inverse)) return 0;  // below every level that could matter
  const double rounded = std::round(bias * inverse);
  return static_cast<int32_t>(std::clamp<double>(rounded, -kBiasMax, kBiasMax));
}

}  // namespace

void check_bits(int bits, const char* name) {
  if (bits >= kLeastBits && bits <= kMostBits) return;
  throw Error(ErrorKind::kUsage, {.what = "no such width",
                                  .where = name,
                                  .expected = concat(kLeastBits, " to ", kMostBits, " bits"),
                                  .found = concat(bits)});
}

std::string to_string(const AffineParams& params) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), params.scale).ptr;
  return concat("scale ", std::string_view(digits.data(), static_cast<size_t>(end - digits.data())),
                ", zero point ", params.zero_point, ", ", params.bits, " bits");
}

AffineParams activation_params(Range range, int bits) {
  check_bits(bits, "activation_params");
  if (!std::isfinite(range.min) || !std::isfinite(range.max) || !std::isfinite(range.max - range.min) ||
      range.min > range.max) {
    throw Error(ErrorKind::kNumeric,
                {.what = "an activation's range is not usable",
                 .expected = "finite numbers, min <= max",
                 .found = concat("[", range.min, ", ", range.max, "]"),
                 .hint = "look for NaN or infinity in the calibration images or weights"});
  }
  float min = std::min(range.min, 0.0f);
  float max = std::max(range.max, 0.0f);
  if (max - min <= 1e-6f) {
    min = std::min(min, -5e-7f);
    max = std::max(max, 5e-7f);
  }
  AffineParams params = {.bits = bits};
  const auto low = static_cast<float>(params.low()), high = static_cast<float>(params.high());
  params.scale = (max - min) / (high - low);
  params.zero_point = static_cast<int32_t>(std::clamp(std::round(low - min / params.scale), low, high));
  return params;
}

std::vector<float> weight_half_ranges(const Tensor<float>& weight, int axis, Granularity granularity) {
  const ChannelView view(weight.shape(), axis);
  check_finite(weight, "weight");
  const bool per_channel = granularity == Granularity::kPerChannel;
  std::vector<float> half_ranges(per_channel ? static_cast<size_t>(view.channels) : 1, 0.0f);
  for (int64_t i = 0; i < weight.size(); ++i) {
    float& half = half_ranges[per_channel ? static_cast<size_t>(view.channel_of(i)) : 0];
    half = std::max(half, std::abs(weight[i]));
  }
  return half_ranges;
}

void enlarge_for_bias(std::vector<float>& half_ranges, const Tensor<float>& bias, float input_scale,
                      int bits) {
  check_finite(bias, "bias");
  if (bias.size() > 0) check_per_channel(half_ranges.size(), bias.size(), "half ranges");
  for (int64_t c = 0; c < bias.size(); ++c) {
    float& half = half_ranges[half_ranges.size() == 1 ? 0 : static_cast<size_t>(c)];
    // The weight scale at which this bias becomes 2^30, half of what int32 holds.
    const double scale = 2.0 * std::abs(static_cast<double>(bias[c])) / kBiasMax / input_scale;
    half = std::max(half, static_cast<float>(scale * weight_max(bits)));
  }
}

QuantizedFilter quantize_filter(const Tensor<float>& weight, const Tensor<float>& bias, int axis,
                                Granularity granularity, float input_scale, int bits) {
  return quantize_filter(weight, bias, axis, weight_half_ranges(weight, axis, granularity), input_scale,
                         bits);
}

QuantizedFilter quantize_filter(const Tensor<float>& weight, const Tensor<float>& bias, int axis,
                                std::vector<float> half_ranges, float input_scale, int bits) {
  check_bits(bits, "quantize_filter");
  const ChannelView view(weight.shape(), axis);
  check_finite(weight, "weight");
  check_per_channel(half_ranges.size(), view.channels, "half ranges");
  check_half_ranges(half_ranges);
  if (bias.size() != 0 && bias.size() != view.channels) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "wrong number of biases", .expected = concat(view.channels), .found = concat(bias.size())});
  }
  enlarge_for_bias(half_ranges, bias, input_scale, bits);

  QuantizedFilter filter = {.weight = {}, .scales = {}, .bias = {}, .bits = bits};
  const auto top = static_cast<float>(weight_max(bits));
  std::vector<float> inverses;
  for (float half : half_ranges) {
    const bool zero = half < least_half_range(weight_max(bits));
    filter.scales.push_back(zero ? 1.0f : half / top);
    inverses.push_back(zero ? 0.0f : top / half);
  }
  filter.weight = Tensor<int8_t>::uninitialized(weight.shape());
  for (int64_t i = 0; i < weight.size(); ++i) {
    const float rounded = std::round(weight[i] * inverses[filter.scale_index(view.channel_of(i))]);
    filter.weight[i] = static_cast<int8_t>(std::clamp(rounded, -top, top));
  }
  for (int64_t c = 0; c < view.channels; ++c) {
    const float bias_scale = input_scale * filter.scale(c);
    filter.bias.push_back(bias.size() == 0 ? 0 : quantize_bias(bias[c], bias_scale));
  }
  return filter;
}

int8_t quantize(float x, AffineParams params) {
  if (std::isnan(x)) {
    throw Error(ErrorKind::kNumeric, {.what = "cannot quantize a value that is not a number"});
  }
  const float rounded =
      std::clamp(std::round(x / params.scale), -512.0f, 512.0f);  // any zero point stays decided
  return static_cast<int8_t>(
      std::clamp(static_cast<int32_t>(rounded) + params.zero_point, params.low(), params.high()));
}

}  // namespace qlimit
