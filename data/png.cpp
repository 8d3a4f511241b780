#include "data/png.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/checksum.h"
#include "core/file.h"
#include "data/big_endian.h"

namespace qlimit {
namespace {

using Bytes = std::span<const uint8_t>;

Error unreadable(const std::string& where, const std::string& reason) {
  return {ErrorKind::kData,
          {.what = "cannot read the picture", .where = where, .expected = "a PNG", .found = reason}};
}

/// The signature and the chunks of a file, up to its end chunk, each of them intact: stb_image does not look at
/// checksums, and would take damaged pixels. Empty chunks, over which it stumbles, are left out.
///
///   chunk = length of the content, name (4 letters), content, CRC-32 of name and content
std::vector<uint8_t> intact_chunks(Bytes file, const std::string& where) {
  constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr size_t kWord = 4;
  if (file.size() < kSignature.size() || !std::equal(kSignature.begin(), kSignature.end(), file.begin())) {
    throw unreadable(where, "a file that does not begin like one");
  }
  std::vector<uint8_t> intact(kSignature.begin(), kSignature.end());
  Bytes rest = file.subspan(kSignature.size());
  for (std::string name; name != "IEND";) {
    const size_t length = rest.size() < kWord ? 0 : big_endian(rest);
    if (rest.size() < 3 * kWord + length) throw unreadable(where, "one that ends early");
    const Bytes chunk = rest.first(3 * kWord + length), checked = chunk.subspan(kWord, kWord + length);
    if (crc32(checked) != big_endian(chunk.last(kWord))) throw unreadable(where, "one that is damaged");
    const bool is_first = name.empty();
    name.assign(checked.begin(), checked.begin() + kWord);
    if (is_first && name != "IHDR") throw unreadable(where, "one that does not begin with its header");
    if (length > 0 || name == "IEND") intact.insert(intact.end(), chunk.begin(), chunk.end());
    rest = rest.subspan(chunk.size());
  }
  return intact;
}

}  // namespace

Tensor<uint8_t> parse_png(std::span<const uint8_t> bytes, int64_t channels, const std::string& where) {
  if (channels != 1 && channels != 3) {
    throw Error(ErrorKind::kUsage, {.what = "a picture is read in grey or in colour",
                                    .where = where,
                                    .expected = "1 or 3 channels",
                                    .found = concat(channels)});
  }
  if (bytes.size() > kMaxPngBytes) throw unreadable(where, "one of absurd size");
  const std::vector<uint8_t> intact = intact_chunks(bytes, where);
  const auto size = static_cast<int>(intact.size());
  int width = 0, height = 0, in_file = 0;
  if (!stbi_info_from_memory(intact.data(), size, &width, &height, &in_file)) {
    throw unreadable(where, stbi_failure_reason());
  }
  if (static_cast<uint64_t>(width) * static_cast<uint64_t>(height) > kMaxPngPixels) {
    throw unreadable(where, "one of absurd size");
  }
  const auto wanted = static_cast<int>(channels);
  const std::unique_ptr<uint8_t, void (*)(void*)> pixels(
      stbi_load_from_memory(intact.data(), size, &width, &height, &in_file, wanted), stbi_image_free);
  if (!pixels) throw unreadable(where, stbi_failure_reason());
  auto picture = Tensor<uint8_t>::uninitialized({height, width, channels});
  std::copy_n(pixels.get(), picture.size(), picture.data());
  return picture;
}

Tensor<uint8_t> read_png(const std::filesystem::path& path, int64_t channels) {
  return parse_png(read_file(path, kMaxPngBytes), channels, path.string());
}

}  // namespace qlimit
