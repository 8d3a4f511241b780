#include "data/png.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>

#include <memory>

#include "core/file.h"

namespace qlimit {
namespace {

Error unreadable(const std::string& where, const char* reason) {
  return {ErrorKind::kData,
          {.what = "cannot read the picture", .where = where, .expected = "a PNG", .found = reason}};
}

}  // namespace

Tensor<uint8_t> parse_png(std::span<const uint8_t> bytes, int64_t channels, const std::string& where) {
  if (channels != 1 && channels != 3) {
    throw Error(ErrorKind::kUsage, {.what = "a picture is read in grey or in colour",
                                    .where = where,
                                    .expected = "1 or 3 channels",
                                    .found = concat(channels)});
  }
  const auto size = static_cast<int>(std::min<size_t>(bytes.size(), kMaxPngBytes));
  int width = 0, height = 0, in_file = 0;
  if (!stbi_info_from_memory(bytes.data(), size, &width, &height, &in_file)) {
    throw unreadable(where, stbi_failure_reason());
  }
  if (static_cast<uint64_t>(width) * static_cast<uint64_t>(height) > kMaxPngPixels) {
    throw unreadable(where, "one of absurd size");
  }
  const auto wanted = static_cast<int>(channels);
  const std::unique_ptr<uint8_t, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &in_file, wanted), stbi_image_free);
  if (!pixels) throw unreadable(where, stbi_failure_reason());
  auto picture = Tensor<uint8_t>::uninitialized({height, width, channels});
  std::copy_n(pixels.get(), picture.size(), picture.data());
  return picture;
}

Tensor<uint8_t> read_png(const std::filesystem::path& path, int64_t channels) {
  return parse_png(read_file(path, kMaxPngBytes), channels, path.string());
}

}  // namespace qlimit
