#include "data/location.h"

#include <cstdlib>

#include "data/cifar10.h"
#include "data/mnist.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string name;
  std::string folder;
  std::string first_file;  // stands for all of them when they are looked for
  DatasetPair (*load)(const fs::path&);
};

const Source& source(const std::string& name) {
  static const Source sources[] = {
      {"mnist", "mnist", "train-images-idx3-ubyte", load_mnist},
      {"fashion_mnist", "fashion_mnist", "train-images-idx3-ubyte", load_fashion_mnist},
      {"cifar10", "cifar-10-batches-bin", "data_batch_1.bin",
       [](const fs::path& f) { return load_cifar10(f); }},
  };
  for (const Source& known : sources) {
    if (known.name == name) return known;
  }
  throw Error(ErrorKind::kUsage,
              {.what = "unknown data set", .expected = "mnist, fashion_mnist or cifar10", .found = name});
}

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

bool holds(const fs::path& folder, const std::string& file) {
  std::error_code ignored;
  return fs::exists(folder / file, ignored) || fs::exists(folder / (file + ".gz"), ignored);
}

// The source tree's own folder, or the same seen from the working directory if the tree has moved since the
// build.
fs::path tiny_folder() {
  const fs::path built = QLIMIT_TINY_DATA;
  std::error_code ignored;
  return fs::exists(built, ignored) ? built : fs::path("data/tiny");
}

}  // namespace

fs::path data_folder(const std::string& option) {
  if (!option.empty()) return option;
  if (const std::string folder = environment("QLIMIT_DATA"); !folder.empty()) return folder;
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return fs::path(cache) / "qlimit";
  if (const std::string home = environment("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "qlimit";
  throw Error(ErrorKind::kUsage, {.what = "no data folder: neither QLIMIT_DATA nor HOME is set",
                                  .hint = "name one with --data"});
}

DatasetPair load_dataset(const std::string& name, const std::string& option) {
  const Source& wanted = source(name);
  if (option == "tiny") {
    if (name != "mnist") {
      throw Error(ErrorKind::kUsage, {.what = "the tiny data set is a part of MNIST",
                                      .where = "--data tiny",
                                      .found = concat("a program that wants ", name)});
    }
    DatasetPair tiny = load_mnist(tiny_folder());
    tiny.train.name = tiny.test.name = "mnist_tiny";
    return tiny;
  }
  const fs::path root = data_folder(option);
  const fs::path folder = root / wanted.folder;
  if (holds(folder, wanted.first_file)) return wanted.load(folder);
  if (holds(root, wanted.first_file)) return wanted.load(root);
  throw Error(ErrorKind::kIo,
              {.what = concat("the data set ", name, " is not there"),
               .where = folder.string(),
               .hint = concat("fetch it with: ", option.empty() ? "" : concat("QLIMIT_DATA=", option, " "),
                              "data/fetch ", name)});
}

}  // namespace qlimit
