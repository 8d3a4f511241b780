// Numbers whose first byte counts most, as IDX and PNG files hold them.
#pragma once

#include <cstdint>
#include <span>

namespace qlimit {

/// The number in the first four bytes, of which there must be as many.
inline uint32_t big_endian(std::span<const uint8_t> bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

}  // namespace qlimit
