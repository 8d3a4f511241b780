// Broadcasting: how two tensors of different shapes are combined element by element.
//
// Shapes are aligned at their last axis, missing axes in front count 1, and an axis of size 1 is repeated to
// the other's size (the rule of NumPy and TFLite).
//
//   Broadcast pairs("add", {2, 5, 3}, {3});          // shape [2,5,3]
//   pairs.for_each([&](int64_t i, int64_t a, int64_t b) { sum[i] = x[a] + y[b]; });
#pragma once

#include <array>
#include <cstdint>

#include "core/shape.h"

namespace qlimit {

class Broadcast {
 public:
  /// Throws kUsage, naming `operation`, if the shapes do not fit.
  Broadcast(const char* operation, const Shape& first, const Shape& second);

  /// The common shape; its rank is the greater of the two.
  const Shape& shape() const { return shape_; }

  /// Calls body(i, a, b) for each element i of the common shape in order: a and b are the places in the two
  /// tensors that it is made of.
  template <typename Body>
  void for_each(const Body& body) const {
    for_each_row([&](int64_t i, int64_t a, int64_t b, int64_t count) {
      for (int64_t k = 0; k < count; ++k) body(i + k, a + k * first_[3], b + k * second_[3]);
    });
  }

  /// Calls body(i, a, b, count) for stretches of such elements, as long as possible: from one to the next,
  /// the places move by first_step and second_step, which are 0 or 1. Equal shapes are a single stretch.
  template <typename Body>
  void for_each_row(const Body& body) const {
    int64_t i = 0;
    for (int64_t n = 0; n < sizes_[0]; ++n) {
      for (int64_t y = 0; y < sizes_[1]; ++y) {
        for (int64_t x = 0; x < sizes_[2]; ++x, i += sizes_[3]) {
          body(i, n * first_[0] + y * first_[1] + x * first_[2],
               n * second_[0] + y * second_[1] + x * second_[2], sizes_[3]);
        }
      }
    }
  }
  int64_t first_step() const { return first_[3]; }
  int64_t second_step() const { return second_[3]; }

 private:
  using Axes = std::array<int64_t, Shape::kMaxRank>;

  void join_axes();

  Shape shape_;
  Axes sizes_;  // of the common shape with its axes joined, ones in front
  Axes first_;  // strides; 0 along an axis that is repeated
  Axes second_;
};

}  // namespace qlimit
