#include "core/checksum.h"

#include <array>

namespace qlimit {
namespace {

// What eight divisions by the polynomial do to each possible low byte.
constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ (rest & 1 ? 0xEDB88320u : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

}  // namespace

uint32_t crc32(std::span<const uint8_t> bytes, uint32_t before) {
  uint32_t rest = ~before;
  for (uint8_t byte : bytes) rest = (rest >> 8) ^ kTable[(rest ^ byte) & 0xFF];
  return ~rest;
}

}  // namespace qlimit
