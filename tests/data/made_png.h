// PNG files made from the format's description (ISO/IEC 15948), to test what reads them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace qlimit {

enum class PngColour : uint8_t { kGrey = 0, kRgb = 2, kGreyAlpha = 4, kRgba = 6 };

/// A PNG of `samples`, row by row, each of `bits` 8 or 16 (two bytes, big-endian).
inline std::vector<uint8_t> made_png(uint32_t width, uint32_t height, PngColour colour,
                                     const std::vector<uint8_t>& samples, uint8_t bits = 8) {
  const auto big_endian = [](uint32_t word) {
    return std::string{static_cast<char>(word >> 24), static_cast<char>(word >> 16),
                       static_cast<char>(word >> 8), static_cast<char>(word)};
  };
  const auto chunk = [&](const std::string& kind, const std::string& content) {
    const std::string checked = kind + content;
    const uLong crc =
        crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    return big_endian(static_cast<uint32_t>(content.size())) + checked +
           big_endian(static_cast<uint32_t>(crc));
  };
  std::string rows;
  const size_t row_bytes = height == 0 ? 0 : samples.size() / height;
  for (uint32_t y = 0; y < height; ++y) {
    rows += '\0';  // no filter
    rows.append(reinterpret_cast<const char*>(samples.data()) + y * row_bytes, row_bytes);
  }
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
           rows.size());
  packed.resize(size);
  const std::string header = big_endian(width) + big_endian(height) +
                             std::string{static_cast<char>(bits), static_cast<char>(colour), 0, 0, 0};
  const std::string file =
      "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
  return {file.begin(), file.end()};
}

}  // namespace qlimit
