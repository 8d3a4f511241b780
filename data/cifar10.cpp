#include "data/cifar10.h"

#include <algorithm>

#include "core/file.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHint = "fetch it with: data/fetch cifar10";
constexpr int64_t kPlane = kCifarSide * kCifarSide;

Dataset make_dataset(int64_t records) {
  return {.images = Tensor<uint8_t>::uninitialized({records, kCifarSide, kCifarSide, 3}),
          .labels = {},
          .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                          "truck"},
          .name = "cifar10"};
}

Dataset read_files(const fs::path& folder, const std::vector<std::string>& names, int64_t records_per_file) {
  const int64_t file_bytes = records_per_file * kCifarRecordBytes;
  Dataset whole = make_dataset(records_per_file * static_cast<int64_t>(names.size()));
  uint8_t* to = whole.images.data();
  for (const std::string& name : names) {
    const std::string where = (folder / name).string();
    const auto bytes = read_file(where, static_cast<uint64_t>(file_bytes), kHint);
    if (!bytes.empty() && static_cast<int64_t>(bytes.size()) != file_bytes) {
      throw Error(ErrorKind::kData, {.what = "the CIFAR-10 file is truncated",
                                     .where = where,
                                     .expected = concat(file_bytes, " bytes"),
                                     .found = concat(bytes.size()),
                                     .hint = kHint});
    }
    const Dataset part = parse_cifar10(bytes, where, kHint);
    to = std::copy(part.images.begin(), part.images.end(), to);
    whole.labels.insert(whole.labels.end(), part.labels.begin(), part.labels.end());
  }
  return whole;
}

}  // namespace

Dataset parse_cifar10(std::span<const uint8_t> bytes, const std::string& where, const std::string& hint) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size == 0 || size % kCifarRecordBytes != 0) {
    throw Error(ErrorKind::kData,
                {.what = size == 0 ? "the CIFAR-10 file is empty" : "the CIFAR-10 file ends inside a record",
                 .where = where,
                 .expected = concat("a multiple of ", kCifarRecordBytes, " bytes"),
                 .found = concat(size),
                 .hint = hint});
  }
  Dataset dataset = make_dataset(size / kCifarRecordBytes);
  uint8_t* pixel = dataset.images.data();
  for (; !bytes.empty(); bytes = bytes.subspan(kCifarRecordBytes)) {
    dataset.labels.push_back(bytes[0]);
    const uint8_t* red = bytes.data() + 1;
    for (int64_t i = 0; i < kPlane; ++i, pixel += 3) {
      pixel[0] = red[i];
      pixel[1] = red[i + kPlane];
      pixel[2] = red[i + 2 * kPlane];
    }
  }
  check_dataset(dataset, where, hint);
  return dataset;
}

DatasetPair load_cifar10(const fs::path& folder, int64_t records_per_file) {
  return {.train = read_files(folder,
                              {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                               "data_batch_5.bin"},
                              records_per_file),
          .test = read_files(folder, {"test_batch.bin"}, records_per_file)};
}

}  // namespace qlimit
