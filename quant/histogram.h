// Counts of real numbers in equal bins, for an unknown range and in one pass.
//
// The bins cover [-R, R) with R a power of two. A number outside doubles R until it fits, and each time
// neighbouring bins are merged in pairs: the borders are exact, no count is ever estimated, so the result
// depends on the numbers alone, not on their order or on how they were cut into batches.
#pragma once

#include <cstdint>
#include <vector>

namespace qlimit {

class Histogram {
 public:
  static constexpr int64_t kBinsPerSide = 4096;

  /// Counts one finite number.
  void add(float value);

  int64_t count() const { return count_; }
  /// The least and the greatest number seen, exactly; 0 if there was none.
  float min() const { return min_; }
  float max() const { return max_; }

  double bin_width() const { return width_; }
  /// Bin i of 2 * kBinsPerSide covers [(i - kBinsPerSide) * width, (i + 1 - kBinsPerSide) * width).
  const std::vector<int64_t>& bins() const { return bins_; }
  double lower_edge(int64_t bin) const { return static_cast<double>(bin - kBinsPerSide) * width_; }
  double middle(int64_t bin) const { return lower_edge(bin) + width_ / 2; }

 private:
  void double_range();

  std::vector<int64_t> bins_ = std::vector<int64_t>(2 * kBinsPerSide, 0);
  double width_ = 0x1p-160;  // a power of two; at first so small that only zeros do not make it grow
  int64_t count_ = 0;
  float min_ = 0, max_ = 0;
};

}  // namespace qlimit
