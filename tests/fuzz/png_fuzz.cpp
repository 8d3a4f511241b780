// PNG pictures from arbitrary bytes: an Error of kind kData, or pixels of the size that the header names.

#include <cstdlib>
#include <vector>

#include "core/checksum.h"
#include "core/error.h"
#include "data/big_endian.h"
#include "data/png.h"

namespace {

using namespace qlimit;
using Bytes = std::vector<uint8_t>;

// With the checksums of its chunks put right, without which nothing that was changed would be read.
Bytes with_checksums(Bytes png) {
  for (size_t at = 8; at + 12 <= png.size();) {
    const std::span<uint8_t> rest = std::span(png).subspan(at);
    const size_t length = big_endian(rest);
    if (rest.size() < length + 12) break;
    const uint32_t checksum = crc32(rest.subspan(4, length + 4));
    for (size_t i = 0; i < 4; ++i) rest[length + 8 + i] = static_cast<uint8_t>(checksum >> (24 - 8 * i));
    at += length + 12;
  }
  return png;
}

void parse(const Bytes& png, int64_t channels) {
  try {
    const Tensor<uint8_t> picture = parse_png(png, channels, "fuzz");
    const std::span<const uint8_t> header = std::span(png).subspan(16);  // signature, length and name before
    const Shape expected = {big_endian(header.subspan(4)), big_endian(header), channels};
    if (picture.shape() != expected) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, data + size);
  parse(bytes, 3);
  for (const int64_t channels : {1, 3}) parse(with_checksums(bytes), channels);
  return 0;
}
