// Decompression of gzip bytes (RFC 1952) by zlib, bounded.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qlimit {

/// True if the bytes start as every gzip file does.
bool is_gzip(std::span<const uint8_t> bytes);

/// The content of a gzip file of one member. Throws kData, naming `where`, if it is damaged or truncated, if
/// bytes follow its end, or if it holds more than `max_bytes`: a small file can claim a thousand times its
/// size, so the memory taken grows with what was really decompressed, and stops there.
std::vector<uint8_t> gunzip(std::span<const uint8_t> bytes, uint64_t max_bytes, const std::string& where,
                            const std::string& hint = {});

}  // namespace qlimit
