// IDX images and labels from arbitrary bytes, plain or gzip: an Error of kind kData, or what the bytes say.

#include <cstdlib>

#include "core/error.h"
#include "data/gzip.h"
#include "data/idx.h"

namespace {

using namespace qlimit;
using Bytes = std::span<const uint8_t>;

// A plain file that was accepted is its header and the values, to the byte.
void check(Bytes bytes, int64_t values, size_t header) {
  if (values < 1 || (!is_gzip(bytes) && bytes.size() != header + static_cast<size_t>(values))) std::abort();
}

template <typename Parse>
void expect_data_or_error(Parse parse) {
  try {
    parse();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  expect_data_or_error([&] { check(bytes, parse_idx_images(bytes, "fuzz").size(), 16); });
  expect_data_or_error(
      [&] { check(bytes, static_cast<int64_t>(parse_idx_labels(bytes, "fuzz").size()), 8); });
  return 0;
}
