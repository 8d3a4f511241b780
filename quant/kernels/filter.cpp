#include "quant/kernels/filter.h"

#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "quant/channel_view.h"

namespace qlimit::int8 {
namespace {

bool fits_int32(int64_t x) {
  return x >= std::numeric_limits<int32_t>::min() && x <= std::numeric_limits<int32_t>::max();
}

void check_counts(const char* operation, const QuantizedFilter& filter, int axis, int32_t input_zero_point) {
  const auto refuse = [&](const char* what, const std::string& expected, const std::string& found) {
    throw Error(ErrorKind::kUsage, {.what = what, .where = operation, .expected = expected, .found = found});
  };
  if (axis >= filter.weight.rank() || filter.weight.size() == 0)
    refuse("wrong weight shape", "a tensor with elements", filter.weight.shape().to_string());
  const size_t channels = static_cast<size_t>(filter.weight.dim(axis));
  if (filter.scales.size() != 1 && filter.scales.size() != channels)
    refuse("wrong number of weight scales", concat("1 or ", channels), concat(filter.scales.size()));
  if (filter.bias.size() != channels)
    refuse("wrong number of biases", concat(channels), concat(filter.bias.size()));
  if (input_zero_point < kInt8Min || input_zero_point > kInt8Max)
    refuse("zero point out of range", "-128 to 127", concat(input_zero_point));
}

}  // namespace

std::vector<int32_t> fold_zero_point(const char* operation, const QuantizedFilter& filter, int axis,
                                     int32_t input_zero_point) {
  check_counts(operation, filter, axis, input_zero_point);
  const ChannelView view(filter.weight.shape(), axis);

  struct Sums {
    int64_t weights = 0, magnitudes = 0, least = 0, most = 0;
  };
  std::vector<Sums> sums(static_cast<size_t>(view.channels));
  for (int64_t i = 0; i < filter.weight.size(); ++i) {
    Sums& sum = sums[static_cast<size_t>(view.channel_of(i))];
    const int64_t w = filter.weight[i];
    const int64_t at_low = w * (kInt8Min - input_zero_point);
    const int64_t at_high = w * (kInt8Max - input_zero_point);
    sum.weights += w;
    sum.magnitudes += std::abs(w);
    sum.least += std::min(at_low, at_high);
    sum.most += std::max(at_low, at_high);
  }

  std::vector<int32_t> folded;
  for (size_t c = 0; c < sums.size(); ++c) {
    const int64_t bias = filter.bias[c];
    const int64_t sum = bias - input_zero_point * sums[c].weights;
    // 255 * magnitudes bounds every partial sum in any order, with or without the zero point.
    if (!fits_int32(255 * sums[c].magnitudes) || !fits_int32(bias + sums[c].least) ||
        !fits_int32(bias + sums[c].most) || !fits_int32(sum)) {
      throw Error(ErrorKind::kNumeric,
                  {.what = "an accumulator could exceed 32 bits",
                   .where = concat(operation, ", output channel ", c),
                   .expected = "|bias| + 255 * sum of |weight| below 2^31",
                   .found = concat("bias ", bias, ", sum of |weight| ", sums[c].magnitudes)});
    }
    folded.push_back(static_cast<int32_t>(sum));
  }
  return folded;
}

std::vector<int32_t> offset_bias(std::vector<int32_t> bias, const Tensor<int8_t>& weight, int32_t offset) {
  const int64_t size = weight.size() / static_cast<int64_t>(bias.size());
  for (int64_t i = 0; i < weight.size(); ++i) {
    int32_t& b = bias[static_cast<size_t>(i / size)];
    b = wrapping_add(b, -offset * weight[i]);
  }
  return bias;
}

std::vector<QuantizedMultiplier> channel_multipliers(const QuantizedFilter& filter, int64_t channels,
                                                     float input_scale, const OutputStage& output) {
  std::vector<QuantizedMultiplier> multipliers;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const float weight_scale = filter.scale(static_cast<int64_t>(c));
    const double real = convolution_multiplier(input_scale, weight_scale, output.params.scale);
    multipliers.push_back(quantize_multiplier(real, output.rounding));
  }
  return multipliers;
}

}  // namespace qlimit::int8
