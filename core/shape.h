// The sizes of a tensor's dimensions, at most four, outermost first. Activations are [N,H,W,C], filters
// [O,KH,KW,C].
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace qlimit {

class Shape {
 public:
  static constexpr int kMaxRank = 4;
  static constexpr int64_t kMaxElements = int64_t{1} << 59;  // their number of bytes is a size_t too

  /// A scalar: rank 0, one element.
  Shape() = default;
  /// Throws kUsage for more than four dimensions, a negative one, or more than 2^59 elements.
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  /// The number of elements: the product of the dimensions.
  int64_t size() const { return size_; }
  /// Dimension i; a negative i counts from the last one.
  int64_t operator[](int i) const;

  bool operator==(const Shape& other) const = default;
  /// For example "[32,28,28,1]".
  std::string to_string() const;

  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }

 private:
  int rank_ = 0;
  int64_t size_ = 1;
  std::array<int64_t, kMaxRank> dims_{};
};

}  // namespace qlimit
