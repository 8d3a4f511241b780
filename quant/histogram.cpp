#include "quant/histogram.h"

#include <algorithm>
#include <cmath>

namespace qlimit {

void Histogram::add(float value) {
  const double limit = static_cast<double>(kBinsPerSide);
  while (!(value >= -limit * width_ && value < limit * width_)) double_range();
  const int64_t bin = static_cast<int64_t>(std::floor(value / width_)) + kBinsPerSide;
  ++bins_[static_cast<size_t>(bin)];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  ++count_;
}

void Histogram::double_range() {
  std::vector<int64_t> wider(bins_.size(), 0);
  for (int64_t i = 0; i < 2 * kBinsPerSide; ++i)
    wider[static_cast<size_t>((i + kBinsPerSide) / 2)] += bins_[static_cast<size_t>(i)];
  bins_ = std::move(wider);
  width_ *= 2;
}

}  // namespace qlimit
