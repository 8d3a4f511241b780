// CRC-32: tells a damaged file from a sound one. It guards against accidents, not against forgers.
#pragma once

#include <cstdint>
#include <span>

namespace qlimit {

/// The CRC-32 of IEEE 802.3 (reflected polynomial EDB88320), as in zlib, gzip and PNG; "123456789" gives
/// CBF43926. Pass the result of an earlier part as `before` to continue it.
uint32_t crc32(std::span<const uint8_t> bytes, uint32_t before = 0);

}  // namespace qlimit
