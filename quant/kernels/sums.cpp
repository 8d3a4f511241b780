#include "quant/kernels/sums.h"

#include <algorithm>

#include "core/kernels/table.h"
#include "quant/kernels/filter.h"

namespace qlimit::int8 {
namespace {

constexpr int64_t kLongestVector = 16;  // of 32-bit lanes, in any instruction set
constexpr int32_t kMostLeftShift = 30;

}  // namespace

SumRequantizer::SumRequantizer(int64_t columns, const std::vector<int32_t>& bias,
                               const std::vector<QuantizedMultiplier>& multipliers, const OutputClamp& out,
                               Rounding rounding)
    : columns_(columns),
      channels_(static_cast<int64_t>(bias.size())),
      bias_(bias),
      out_(out),
      rounding_(rounding),
      table_(&kernels()) {
  in_vectors_ = rounding != Rounding::kSingle;
  for (const QuantizedMultiplier& m : multipliers) {
    in_vectors_ = in_vectors_ && m.shift <= kMostLeftShift;
    shifts_left_ = shifts_left_ || m.shift > 0;
    multipliers_.push_back(m.multiplier);
    right_shifts_.push_back(std::max(-m.shift, 0));
    left_shifts_.push_back(std::max(m.shift, 0));
  }
  if (in_vectors_ && columns == channels_ && kLongestVector % columns == 0)
    grouped_rows_ = kLongestVector / columns;
  for (auto* values : {&bias_, &multipliers_, &right_shifts_, &left_shifts_}) {
    values->resize(static_cast<size_t>(columns), 0);
    for (int64_t i = columns; i < grouped_rows_ * columns; ++i) {
      values->push_back((*values)[static_cast<size_t>(i - columns)]);
    }
  }
}

ChannelRequantizer SumRequantizer::scales() const {
  return {.bias = bias_.data(),
          .multipliers = multipliers_.data(),
          .right_shifts = right_shifts_.data(),
          .zero_point = out_.zero_point,
          .min = out_.min,
          .max = out_.max};
}

void SumRequantizer::run_in_vectors(int64_t rows, int64_t grouped, const int32_t* sums, int8_t* y) const {
  table_->requantize_int8({.rows = rows,
                           .channels = grouped * channels_,
                           .padded_channels = grouped * columns_,
                           .sums = sums,
                           .scales = scales(),
                           .left_shifts = shifts_left_ ? left_shifts_.data() : nullptr,
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
      const QuantizedMultiplier m{multipliers_[at], left_shifts_[at] - right_shifts_[at]};
      *y++ = requantize(wrapping_add(sums[i * columns_ + c], bias_[at]), m, out_, rounding_);
    }
  }
}

}  // namespace qlimit::int8
