// Padding: a tensor with rows of one number put around it. Nothing is computed, so elements of any type may
// be padded: floats with 0, integers with the zero point, which stands for 0.
//
//   PadParams params = prepare_pad({1, 4, 4, 3}, {0, 1, 1, 0}, {0, 1, 1, 0});   // -> [1,6,6,3]
//   pad(params, x, zero_point, y);
#pragma once

#include <array>
#include <cstdint>

#include "core/shape.h"

namespace qlimit {

/// A padding made ready for inputs of one shape.
struct PadParams {
  using Axes = std::array<int64_t, Shape::kMaxRank>;
  Axes sizes;   // of the input; those of missing axes are 1
  Axes before;  // how much is put in front along each axis
  Axes padded;  // sizes of the output
};

/// before, after: along each axis of `input`, 0 where it has none. Throws kUsage if they are not.
PadParams prepare_pad(const Shape& input, const PadParams::Axes& before, const PadParams::Axes& after);

/// y: the padded shape, with `value` around x. T is float or int8_t.
template <typename T>
void pad(const PadParams& params, const T* x, T value, T* y);

}  // namespace qlimit
