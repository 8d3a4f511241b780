// The one source that compiles the bodies of these single-header libraries.
#include <zlib.h>

#include <cstdlib>

// zlib packs a third better than what stb_image_write brings along. Null if it fails.
static unsigned char* pack(unsigned char* data, int size, int* packed_size, int /*quality*/) {
  uLongf bytes = compressBound(static_cast<uLong>(size));
  auto* packed = static_cast<unsigned char*>(std::malloc(bytes));
  if (packed == nullptr) return nullptr;
  if (compress2(packed, &bytes, data, static_cast<uLong>(size), Z_BEST_COMPRESSION) != Z_OK) {
    std::free(packed);
    return nullptr;
  }
  *packed_size = static_cast<int>(bytes);
  return packed;
}

#define STB_TRUETYPE_IMPLEMENTATION
#include <stb_truetype.h>
#define STBIW_ZLIB_COMPRESS pack
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>
