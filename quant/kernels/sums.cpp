#include "quant/kernels/sums.h"

#include <algorithm>

#include "core/kernels/requantize.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

constexpr int64_t kLongestVector = 16;  // of 32-bit lanes, in any instruction set

}  // namespace

SumRequantizer::SumRequantizer(int64_t columns, const std::vector<int32_t>& bias,
                               const std::vector<QuantizedMultiplier>& multipliers, const OutputClamp& out,
                               Rounding rounding)
    : columns_(columns),
      channels_(static_cast<int64_t>(bias.size())),
      bias_(bias),
      out_(out),
      rounding_(rounding) {
  in_vectors_ = rounding != Rounding::kSingle;
  for (const QuantizedMultiplier& m : multipliers) {
    in_vectors_ = in_vectors_ && m.shift <= 0;
    multipliers_.push_back(m.multiplier);
    shifts_.push_back(m.shift);
  }
  for (auto* values : {&bias_, &multipliers_, &shifts_}) values->resize(static_cast<size_t>(columns), 0);
  if (!in_vectors_) return;
  for (int32_t& shift : shifts_) shift = -shift;
  if (columns == channels_ && kLongestVector % columns == 0) grouped_rows_ = kLongestVector / columns;
  for (auto* values : {&bias_, &multipliers_, &shifts_}) {
    for (int64_t i = columns; i < grouped_rows_ * columns; ++i) {
      values->push_back((*values)[static_cast<size_t>(i - columns)]);
    }
  }
}

ChannelRequantizer SumRequantizer::scales() const {
  return {.bias = bias_.data(),
          .multipliers = multipliers_.data(),
          .right_shifts = shifts_.data(),
          .zero_point = out_.zero_point,
          .min = out_.min,
          .max = out_.max};
}

void SumRequantizer::run_in_vectors(int64_t rows, int64_t grouped, const int32_t* sums, int8_t* y) const {
  requantize_int8({.rows = rows,
                   .channels = grouped * channels_,
                   .padded_channels = grouped * columns_,
                   .sums = sums,
                   .scales = scales(),
                   .out = y});
}

void SumRequantizer::run(int64_t rows, const int32_t* sums, int8_t* y) const {
  if (in_vectors_) {
    const int64_t groups = rows / grouped_rows_, done = groups * grouped_rows_;
    run_in_vectors(groups, grouped_rows_, sums, y);
    run_in_vectors(rows - done, 1, sums + done * columns_, y + done * channels_);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < channels_; ++c) {
      const size_t at = static_cast<size_t>(c);
      *y++ = requantize(wrapping_add(sums[i * columns_ + c], bias_[at]), {multipliers_[at], shifts_[at]},
                        out_, rounding_);
    }
  }
}

}  // namespace qlimit::int8
