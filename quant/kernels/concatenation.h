// Concatenation: tensors that differ at most along one axis, one behind the other along it. Nothing is
// computed, so elements of any type may be concatenated; integers must all have one scale and zero point.
//
//   ConcatenationParams params = prepare_concatenation({{1, 8, 8, 3}, {1, 8, 8, 5}}, 3);   // -> [1,8,8,8]
#pragma once

#include <cstdint>
#include <vector>

#include "core/shape.h"
#include "quant/affine.h"

namespace qlimit {

/// A concatenation made ready for inputs of some shapes.
struct ConcatenationParams {
  int64_t rows = 1;             // the sizes in front of the axis
  std::vector<int64_t> widths;  // for each input, the sizes from the axis on: what it adds to a row
};

/// axis: negative ones count from the last. Throws kUsage if there are no inputs, no such axis, or inputs
/// that differ along another one.
ConcatenationParams prepare_concatenation(const std::vector<Shape>& inputs, int axis);

/// x: a pointer to each input, in order. T is float or int8_t.
template <typename T>
void concatenation(const ConcatenationParams& params, const T* const* x, T* y);

namespace int8 {

/// Throws kUnsupported unless all inputs have the output's parameters, as TFLite demands it
/// (kernels/concatenation.cc; TFLM copies the bytes unseen).
void expect_equal_params(const char* operation, const std::vector<AffineParams>& inputs, AffineParams output);

}  // namespace int8
}  // namespace qlimit
