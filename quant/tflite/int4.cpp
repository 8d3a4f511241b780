#include "quant/tflite/int4.h"

namespace qlimit::tflite {

std::string pack_int4(std::span<const int8_t> numbers) {
  std::string bytes((numbers.size() + 1) / 2, '\0');
  for (size_t i = 0; i < numbers.size(); ++i) {
    const int half = (numbers[i] & 15) << (i % 2 == 0 ? 0 : 4);
    bytes[i / 2] = static_cast<char>(bytes[i / 2] | half);
  }
  return bytes;
}

Tensor<int8_t> unpack_int4(std::span<const std::byte> bytes, const Shape& shape) {
  Tensor<int8_t> numbers = Tensor<int8_t>::uninitialized(shape);
  for (int64_t i = 0; i < numbers.size(); ++i) {
    const auto both = std::to_integer<int>(bytes[static_cast<size_t>(i / 2)]);
    const int half = (i % 2 == 0 ? both : both >> 4) & 15;
    numbers[i] = static_cast<int8_t>(half < 8 ? half : half - 16);
  }
  return numbers;
}

}  // namespace qlimit::tflite
