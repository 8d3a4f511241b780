// What the comparisons of tests/parity start from.
//
// parity_sources images DATASET FOLDER [COUNT]: what the models of the experiments see, normalized as in
// training: the first 512 training images (those that calibrate) as FOLDER/train.npy, the first COUNT test
// images (all) as FOLDER/test.npy, float32 [N,H,W,C], and their classes as FOLDER/labels.npy, uint8 [N].
//
// parity_sources standard_net FILE: the .tflite file of tests/support/standard_net.h.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "data/location.h"
#include "data/npy.h"
#include "experiments/measure.h"
#include "experiments/program.h"
#include "quant/tflite/write.h"
#include "tests/support/standard_net.h"

namespace qlimit {
namespace {

constexpr int64_t kCalibrationImages = 512;

void write_images(const std::string& name, const std::filesystem::path& folder, int64_t count) {
  const DatasetPair data = load_dataset(name);
  const Normalization normalization = channel_statistics(data.train);
  count = std::clamp<int64_t>(count, 1, data.test.size());
  std::filesystem::create_directories(folder);
  write_npy(folder / "train.npy", first_images(data.train, normalization, kCalibrationImages));
  write_npy(folder / "test.npy", first_images(data.test, normalization, count));
  Tensor<uint8_t> labels({count});
  std::copy_n(data.test.labels.begin(), count, labels.data());
  write_npy(folder / "labels.npy", labels);
}

int run(const std::vector<std::string>& arguments) {
  const size_t count = arguments.size();
  if ((count == 3 || count == 4) && arguments[0] == "images") {
    write_images(arguments[1], arguments[2], count == 4 ? std::stoll(arguments[3]) : int64_t{1} << 40);
  } else if (count == 2 && arguments[0] == "standard_net") {
    write_file(arguments[1], write_tflite(standard_net()).bytes);
  } else {
    std::cerr << "usage: parity_sources images DATASET FOLDER [COUNT] | standard_net FILE\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return qlimit::run_program("parity_sources", [&] { return qlimit::run(arguments); });
}
