// INT4 of the format: two weights in a byte, the first in its lower half; an odd last byte has 0 in its upper
// half (TFLite, kernels/internal/portable_tensor_utils.cc, UnpackPackedIntToInt8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/tensor.h"

namespace qlimit::tflite {

/// numbers: each within [-8,7].
std::string pack_int4(std::span<const int8_t> numbers);

/// bytes: (shape.size() + 1) / 2 of them. The half byte that an odd number of weights leaves may hold
/// anything.
Tensor<int8_t> unpack_int4(std::span<const std::byte> bytes, const Shape& shape);

}  // namespace qlimit::tflite
