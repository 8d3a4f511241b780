// CIFAR-10 records from arbitrary bytes: an Error of kind kData, or one image of every whole record.

#include <cstdlib>
#include <vector>

#include "data/cifar10.h"

namespace {

using namespace qlimit;

void parse(std::span<const uint8_t> bytes) {
  try {
    const Dataset dataset = parse_cifar10(bytes, "fuzz");
    if (dataset.size() * kCifarRecordBytes != static_cast<int64_t>(bytes.size())) std::abort();
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const uint8_t* record = bytes.data() + i * kCifarRecordBytes;
      if (record[0] >= 10 || dataset.labels[static_cast<size_t>(i)] != record[0]) std::abort();
      if (dataset.images(i, 31, 31, 2) != record[kCifarRecordBytes - 1]) std::abort();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parse({data, size});
  // Once more filled up to whole records, or hardly any input would pass the first check.
  std::vector<uint8_t> bytes(data, data + size);
  bytes.resize((size / kCifarRecordBytes + 1) * kCifarRecordBytes, static_cast<uint8_t>(size));
  parse(bytes);
  return 0;
}
