// Archives from arbitrary bytes: an Error of kind kData or a sound archive, nothing else.

#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/archive.h"
#include "core/checksum.h"

namespace {

using qlimit::Archive;

void parse_and_write(std::span<const uint8_t> bytes) {
  try {
    const std::vector<uint8_t> again = Archive::parse(bytes, "fuzz").to_bytes();
    // The format leaves no freedom: what was accepted is what would be written.
    if (again.size() != bytes.size() || std::memcmp(again.data(), bytes.data(), bytes.size()) != 0)
      std::abort();
  } catch (const qlimit::Error& error) {
    if (error.kind() != qlimit::ErrorKind::kData) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parse_and_write({data, size});
  if (size < 28) return 0;
  // Once more behind a right length and checksum, or hardly any input would pass the first checks.
  std::vector<uint8_t> bytes(data, data + size);
  const uint64_t length = size;
  std::memcpy(bytes.data() + 16, &length, sizeof(length));
  const uint32_t checksum = qlimit::crc32(std::span(bytes).first(size - 4));
  std::memcpy(bytes.data() + size - 4, &checksum, sizeof(checksum));
  parse_and_write(bytes);
  return 0;
}
