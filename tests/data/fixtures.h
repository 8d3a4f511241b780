// Made-up files and data sets for the tests of data/.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/random.h"
#include "data/dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {

using Bytes = std::vector<uint8_t>;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes random_bytes(int64_t count, uint64_t seed = 1) {
  Random random(seed, "test bytes");
  Bytes bytes(static_cast<size_t>(count));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(256));
  return bytes;
}

/// An IDX file: the magic for `sizes.size()` dimensions, the sizes, the values.
inline Bytes idx_file(const std::vector<uint32_t>& sizes, const Bytes& values) {
  Bytes bytes = {0, 0, 8, static_cast<uint8_t>(sizes.size())};
  for (const uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(size >> shift));
  }
  return bytes + values;
}

inline Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, plain.size()));
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Random images and labels of `classes` classes; the first byte of image i is i mod 256, the second i / 256.
inline Dataset made_dataset(int64_t count, int64_t height, int64_t width, int64_t channels,
                            int64_t classes = 10) {
  const Shape shape{count, height, width, channels};
  Dataset dataset{.images = Tensor<uint8_t>(shape, random_bytes(shape.size())),
                  .labels = {},
                  .class_names = {},
                  .name = "made"};
  for (int64_t i = 0; i < count; ++i) {
    dataset.labels.push_back(static_cast<uint8_t>(i * 7 % classes));
    dataset.images[i * height * width * channels] = static_cast<uint8_t>(i % 256);
    dataset.images[i * height * width * channels + 1] = static_cast<uint8_t>(i / 256);
  }
  for (int64_t k = 0; k < classes; ++k) dataset.class_names.push_back(concat("class ", k));
  return dataset;
}

}  // namespace qlimit
