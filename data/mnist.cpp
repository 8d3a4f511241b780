#include "data/mnist.h"

#include "data/idx.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

Dataset read_part(const fs::path& folder, const std::string& part, const std::string& name,
                  const std::vector<std::string>& class_names) {
  const std::string hint = "fetch it with: data/fetch " + name;
  const fs::path images = folder / (part + "-images-idx3-ubyte");
  Dataset dataset{.images = read_idx_images(images, hint),
                  .labels = read_idx_labels(folder / (part + "-labels-idx1-ubyte"), hint),
                  .class_names = class_names,
                  .name = name};
  if (dataset.images.dim(1) != 28 || dataset.images.dim(2) != 28) {
    throw Error(ErrorKind::kData, {.what = "images of the wrong size",
                                   .where = images.string(),
                                   .expected = "28x28 pixels",
                                   .found = concat(dataset.images.dim(1), "x", dataset.images.dim(2)),
                                   .hint = hint});
  }
  check_dataset(dataset, images.string(), hint);
  return dataset;
}

}  // namespace

DatasetPair load_mnist(const fs::path& folder) {
  const std::vector<std::string> digits = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return {.train = read_part(folder, "train", "mnist", digits),
          .test = read_part(folder, "t10k", "mnist", digits)};
}

DatasetPair load_fashion_mnist(const fs::path& folder) {
  const std::vector<std::string> clothes = {"T-shirt/top", "trouser", "pullover", "dress", "coat",
                                            "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot"};
  return {.train = read_part(folder, "train", "fashion_mnist", clothes),
          .test = read_part(folder, "t10k", "fashion_mnist", clothes)};
}

}  // namespace qlimit
