#include "data/location.h"

#include <cstdlib>
#include <fstream>
#include <optional>

#include "data/normalize.h"
#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

/// Sets an environment variable, or takes it away, for as long as it lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(DataFolder, IsTheFirstThatIsGiven) {
  const Environment home("HOME", "/home/somebody");
  const Environment cache("XDG_CACHE_HOME", nullptr);
  const Environment data("QLIMIT_DATA", nullptr);
  EXPECT_EQ(data_folder(), "/home/somebody/.cache/qlimit");
  {
    const Environment other_cache("XDG_CACHE_HOME", "/cache");
    EXPECT_EQ(data_folder(), "/cache/qlimit");
    const Environment other_data("QLIMIT_DATA", "/data");
    EXPECT_EQ(data_folder(), "/data");
    EXPECT_EQ(data_folder("mine"), "mine");
  }
  const Environment empty("XDG_CACHE_HOME", "");
  EXPECT_EQ(data_folder(), "/home/somebody/.cache/qlimit");
  const Environment homeless("HOME", nullptr);
  expect_error([] { data_folder(); }, ErrorKind::kUsage, {"--data"});
}

TEST(LoadDataset, SaysWhichCommandBringsTheData) {
  const TemporaryFolder folder;
  const Environment data("QLIMIT_DATA", folder.path().c_str());
  for (const std::string name : {"mnist", "fashion_mnist", "cifar10"}) {
    expect_error([&] { load_dataset(name); }, ErrorKind::kIo,
                 {name + " is not there", folder.path().string(), "(fetch it with: data/fetch " + name});
  }
  const std::string other = folder / "other";
  expect_error([&] { load_dataset("cifar10", other); }, ErrorKind::kIo,
               {"QLIMIT_DATA=" + other + " data/fetch cifar10"});
  expect_error([] { load_dataset("imagenet"); }, ErrorKind::kUsage, {"imagenet", "cifar10"});
}

void write_mnist(const fs::path& folder, uint8_t label) {
  fs::create_directories(folder);
  for (const std::string part : {"train", "t10k"}) {
    write_file(folder / (part + "-images-idx3-ubyte.gz"), gzip(idx_file({1, 28, 28}, Bytes(784))));
    write_file(folder / (part + "-labels-idx1-ubyte"), idx_file({1}, {label}));
  }
}

TEST(LoadDataset, LooksInTheSubfolderThenInTheFolder) {
  const TemporaryFolder folder;
  write_mnist(folder.path(), 1);
  EXPECT_EQ(load_dataset("mnist", folder.path()).train.labels[0], 1);
  write_mnist(folder / "mnist", 2);
  write_mnist(folder / "fashion_mnist", 3);
  EXPECT_EQ(load_dataset("mnist", folder.path()).train.labels[0], 2);
  EXPECT_EQ(load_dataset("fashion_mnist", folder.path()).train.labels[0], 3);
}

TEST(LoadDataset, ReportsADamagedSet) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "cifar-10-batches-bin");
  write_file(folder / "cifar-10-batches-bin" / "data_batch_1.bin", Bytes(3073));
  expect_error([&] { load_dataset("cifar10", folder.path()); }, ErrorKind::kData,
               {"data_batch_1.bin", "truncated", "30730000", "data/fetch cifar10"});
}

TEST(Tiny, IsABalancedPartOfMnist) {
  const DatasetPair tiny = load_dataset("mnist", "tiny");
  EXPECT_EQ(tiny.train.images.shape(), Shape({1000, 28, 28, 1}));
  EXPECT_EQ(tiny.test.images.shape(), Shape({200, 28, 28, 1}));
  for (uint8_t digit = 0; digit < 10; ++digit) {
    EXPECT_EQ(std::count(tiny.train.labels.begin(), tiny.train.labels.end(), digit), 100);
    EXPECT_EQ(std::count(tiny.test.labels.begin(), tiny.test.labels.end(), digit), 20);
  }
  // MNIST's own are 0.1307 and 0.3081. An image's mean varies by about 0.05 between images, so that of 1,000
  // by 0.0016.
  const Normalization statistics = channel_statistics(tiny.train);
  EXPECT_NEAR(statistics.mean[0], 0.1307, 0.005);
  EXPECT_NEAR(statistics.deviation[0], 0.3081, 0.005);
  expect_error([] { load_dataset("cifar10", "tiny"); }, ErrorKind::kUsage, {"tiny", "cifar10"});
}

TEST(Tiny, IsSmallAndLicensed) {
  const fs::path folder = fs::path(QLIMIT_SOURCE_DIR) / "data" / "tiny";
  uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) bytes += entry.file_size();
  EXPECT_LT(bytes, 250'000u);
  std::ifstream license(folder / "LICENSE.md");
  const std::string text{std::istreambuf_iterator<char>(license), {}};
  for (const char* part : {"LeCun", "Cortes", "Burges", "Share Alike 3.0"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace qlimit
