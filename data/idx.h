// Reader for IDX, the format of MNIST and its kin, plain or gzip-compressed.
//
// Big-endian: the magic 00 00 08 NN (08: unsigned bytes; NN: the number of dimensions), NN sizes of 32 bits,
// then the bytes in row-major order and nothing after them (LeCun, Cortes, Burges, "The MNIST database").
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace qlimit {

/// The most that an IDX file may hold, about five times MNIST's 47 MB: a corrupt header or a gzip bomb ends
/// here.
inline constexpr uint64_t kMaxIdxBytes = uint64_t{256} << 20;

/// Images from the bytes of a rank-3 IDX file, as [N,H,W,1]. Throws kData, naming `where`, if the bytes are
/// not exactly that.
Tensor<uint8_t> parse_idx_images(std::span<const uint8_t> bytes, const std::string& where,
                                 const std::string& hint = {});

/// Labels from the bytes of a rank-1 IDX file; else as above.
std::vector<uint8_t> parse_idx_labels(std::span<const uint8_t> bytes, const std::string& where,
                                      const std::string& hint = {});

/// The same from a file: `path`, or if it is not there `path`.gz. Throws kIo if neither can be read.
Tensor<uint8_t> read_idx_images(const std::filesystem::path& path, const std::string& hint = {});
std::vector<uint8_t> read_idx_labels(const std::filesystem::path& path, const std::string& hint = {});

}  // namespace qlimit
