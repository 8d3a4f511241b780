// parity_images DATASET FOLDER [COUNT]: writes what the models of the experiments see, normalized as in
// training: the first 512 training images (those that calibrate) as FOLDER/train.npy, the first COUNT test
// images (all) as FOLDER/test.npy, float32 [N,H,W,C], and their classes as FOLDER/labels.npy, uint8 [N].
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/location.h"
#include "data/npy.h"
#include "experiments/measure.h"

namespace qlimit {
namespace {

constexpr int64_t kCalibrationImages = 512;

void write_images(const std::string& name, const std::filesystem::path& folder, int64_t count) {
  const DatasetPair data = load_dataset(name);
  const Normalization normalization = channel_statistics(data.train);
  count = std::min(count, data.test.size());
  std::filesystem::create_directories(folder);
  write_npy(folder / "train.npy", first_images(data.train, normalization, kCalibrationImages));
  write_npy(folder / "test.npy", first_images(data.test, normalization, count));
  Tensor<uint8_t> labels({count});
  std::copy_n(data.test.labels.begin(), count, labels.data());
  write_npy(folder / "labels.npy", labels);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2 && arguments.size() != 3) {
    std::cerr << "usage: parity_images DATASET FOLDER [COUNT]\n";
    return 2;
  }
  const int64_t count = arguments.size() == 3 ? std::stoll(arguments[2]) : int64_t{1} << 40;
  if (count < 1)
    throw Error(ErrorKind::kUsage, {.what = "at least one image is wanted", .where = "parity_images"});
  write_images(arguments[0], arguments[1], count);
  return 0;
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  try {
    return qlimit::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "parity_images: " << error.what() << "\n";
    return 1;
  }
}
