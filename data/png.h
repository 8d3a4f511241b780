// Pictures in PNG files, as bytes of pixels. PNG only: it is lossless, so that a picture says which bytes a
// network gets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/tensor.h"

namespace qlimit {

/// The most that a file may take, and the largest picture that is unpacked.
inline constexpr uint64_t kMaxPngBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMaxPngPixels = uint64_t{64} << 20;

/// The pixels [H,W,channels] of a PNG, channels 1 (grey) or 3 (red, green, blue). A coloured picture becomes
/// grey by its luma, 0.30 r + 0.59 g + 0.11 b; a grey one becomes three equal channels; transparency is left
/// out, and of 16 bits the upper 8 are kept. Throws kData, naming `where`, for bytes that are no such
/// picture or were damaged (their checksums tell); kUsage for other numbers of channels.
Tensor<uint8_t> parse_png(std::span<const uint8_t> bytes, int64_t channels, const std::string& where);

/// The same from a file; throws kIo if it cannot be read.
Tensor<uint8_t> read_png(const std::filesystem::path& path, int64_t channels);

}  // namespace qlimit
