// How much of a layer's weights its few bits should cover.
//
// With 127 steps on either side of zero the greatest weight may as well be representable. With 7 or fewer it
// may not: one outlier then makes the steps of all other weights coarse. So the half range h of the grid
// [-h,h] becomes a choice, as the range of an activation is (quant/observer.h); what lies outside is clipped.
//
//   WeightRangeOptions options = {.method = WeightRangeMethod::kMse};
//   std::vector<float> half = weight_half_ranges(weight, 0, Granularity::kPerChannel, 4, options);
//   QuantizedFilter filter = quantize_filter(weight, bias, 0, half, input_scale, 4);
#pragma once

#include <cstdint>
#include <vector>

#include "quant/affine.h"

namespace qlimit {

enum class WeightRangeMethod {
  kMinMax,      // max |w|: clips nothing
  kPercentile,  // leaves out a given share of the numbers, the greatest |w|
  kMse,         // the half range with the least squared error of all weights together
};

struct WeightRangeOptions {
  WeightRangeMethod method = WeightRangeMethod::kMinMax;
  double percentile = 99.9;  // kPercentile: of |w| that are kept, in (50,100]
};

/// One half range for the tensor, or one for each channel along `axis`, for weights of so many bits.
/// kPercentile takes the least |w| that at least so many percent do not exceed; where that is 0, max |w|.
/// Each channel has its own percentile: in one of 72 weights 99.9 % is all of them. kMse tries
/// mse_candidates; ties go to the wider range. Throws kUsage for options out of range,
/// kNumeric for weights that are not finite.
std::vector<float> weight_half_ranges(const Tensor<float>& weight, int axis, Granularity granularity,
                                      int bits, const WeightRangeOptions& options);

/// The half ranges that kMse tries, from the widest: max |w| * 2^(-i/32) for i from 0 to 255. There are as
/// many steps to a factor of 2 wherever it lies, so that what an outlier of a hundred times the rest leaves
/// is searched as closely.
std::vector<float> mse_candidates(float most);

/// Sum of the squared errors of n weights that are rounded to the grid with this half range, as
/// quantize_filter rounds them; of all squares if the half range is 0. bits: 2 to 8.
double weight_squared_error(const float* weights, int64_t n, float half_range, int bits);

}  // namespace qlimit
