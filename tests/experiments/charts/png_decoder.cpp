#include "tests/experiments/charts/png_decoder.h"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#include <stb_image.h>

namespace qlimit {

DecodedPicture decode_png(const std::vector<uint8_t>& bytes) {
  DecodedPicture picture;
  int channels = 0;
  stbi_uc* pixels = stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &picture.width,
                                          &picture.height, &channels, 3);
  if (pixels != nullptr) {
    picture.pixels.assign(pixels, pixels + picture.width * picture.height * 3);
    stbi_image_free(pixels);
  }
  return picture;
}

}  // namespace qlimit
