// Reads PNG bytes back with a decoder that is not ours.
#pragma once

#include <cstdint>
#include <vector>

namespace qlimit {

struct DecodedPicture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;  // height x width x 3; empty if the bytes are no PNG
};

DecodedPicture decode_png(const std::vector<uint8_t>& bytes);

}  // namespace qlimit
