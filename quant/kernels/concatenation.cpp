#include "quant/kernels/concatenation.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/error.h"

namespace qlimit {
namespace {

bool fit(const Shape& a, const Shape& b, int axis) {
  if (a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i) {
    if (i != axis && a[i] != b[i]) return false;
  }
  return true;
}

int64_t product(const int64_t* begin, const int64_t* end) {
  return std::accumulate(begin, end, int64_t{1}, std::multiplies<>());
}

}  // namespace

ConcatenationParams prepare_concatenation(const std::vector<Shape>& inputs, int axis) {
  const int rank = inputs.empty() ? 0 : inputs[0].rank();
  const int from_front = axis < 0 ? axis + rank : axis;
  if (from_front < 0 || from_front >= rank) {
    throw Error(ErrorKind::kUsage,
                {.what = "no such axis",
                 .where = "concatenation",
                 .expected = inputs.empty() ? "an input" : concat("an axis of ", inputs[0].to_string()),
                 .found = concat(axis)});
  }
  ConcatenationParams p = {.rows = product(inputs[0].begin(), inputs[0].begin() + from_front), .widths = {}};
  for (const Shape& input : inputs) {
    if (!fit(input, inputs[0], from_front)) {
      throw Error(ErrorKind::kUsage, {.what = "shapes do not fit",
                                      .where = "concatenation",
                                      .expected = concat(inputs[0].to_string(), " but for axis ", from_front),
                                      .found = input.to_string()});
    }
    p.widths.push_back(product(input.begin() + from_front, input.end()));
  }
  return p;
}

template <typename T>
void concatenation(const ConcatenationParams& p, const T* const* x, T* y) {
  for (int64_t row = 0; row < p.rows; ++row) {
    for (size_t i = 0; i < p.widths.size(); ++i) {
      const T* from = x[i] + row * p.widths[i];
      y = std::copy(from, from + p.widths[i], y);
    }
  }
}

template void concatenation(const ConcatenationParams&, const float* const*, float*);
template void concatenation(const ConcatenationParams&, const int8_t* const*, int8_t*);

namespace int8 {

void expect_equal_params(const char* operation, const std::vector<AffineParams>& inputs,
                         AffineParams output) {
  for (AffineParams input : inputs) {
    if (input == output) continue;
    throw Error(ErrorKind::kUnsupported, {.what = "inputs and output must have the same scale and zero point",
                                          .where = operation,
                                          .expected = to_string(output),
                                          .found = to_string(input)});
  }
}

}  // namespace int8
}  // namespace qlimit
