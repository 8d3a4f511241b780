// NumPy's file for one array, .npy: how the tensors of a run leave for Python and those of another engine
// come in.
//
//   write_npy("logits.npy", logits);                 // Tensor<float> [N,10]
//   NpyArray array = read_npy("images.npy");         // np.save("images.npy", images) on the other side
//   if (const auto* bytes = std::get_if<Tensor<uint8_t>>(&array)) ...
//
// The format (numpy.lib.format, versions 1.0, 2.0 and 3.0): the magic "\x93NUMPY", the version in two bytes,
// the length of the header (2 bytes in version 1.0, then 4), the header, the values. The header is a Python
// dictionary in ASCII such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and is filled with
// spaces up to a line feed, so that the values start at a multiple of 64.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>

#include "core/tensor.h"

namespace qlimit {

/// The most that a file may hold: an absurd one is not read into memory.
inline constexpr uint64_t kMaxNpyBytes = uint64_t{1} << 30;

/// An array of one of the types that networks take and give.
using NpyArray =
    std::variant<Tensor<float>, Tensor<int8_t>, Tensor<uint8_t>, Tensor<int32_t>, Tensor<int64_t>>;

/// "float32", "int8", ...: the element type by NumPy's name.
std::string type_name(const NpyArray& array);
const Shape& shape_of(const NpyArray& array);

/// The array of a whole file: float32, int8, uint8, int32 or int64, little-endian, in row-major (C) order, of
/// up to four dimensions and at least one element. float64 is rounded to float32. Throws kData, naming
/// `where`, for bytes that are not such a file; nothing is allocated by a size that the bytes do not bear
/// out.
NpyArray parse_npy(std::span<const uint8_t> bytes, const std::string& where);

/// The same from a file; throws kIo if it cannot be read, kData if it is longer than kMaxNpyBytes.
NpyArray read_npy(const std::filesystem::path& path);

/// The file for a tensor, byte for byte as np.save writes it (version 1.0). T: one of the types of NpyArray.
template <typename T>
std::string npy_bytes(const Tensor<T>& tensor);
std::string npy_bytes(const NpyArray& array);

/// Writes it, whole or not at all (core/file.h); a single tensor converts to NpyArray. Throws kIo.
void write_npy(const std::filesystem::path& path, const NpyArray& array);

}  // namespace qlimit
