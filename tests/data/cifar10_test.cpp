#include "data/cifar10.h"

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

constexpr int64_t kPlane = 32 * 32;

Bytes record(uint8_t label, uint64_t seed) { return Bytes{label} + random_bytes(3 * kPlane, seed); }

Bytes records(int64_t count, uint64_t seed) {
  Bytes bytes;
  for (int64_t i = 0; i < count; ++i) {
    bytes = bytes + record(static_cast<uint8_t>(i % 10), seed * 100 + static_cast<uint64_t>(i));
  }
  return bytes;
}

TEST(Cifar10, TurnsPlanesIntoPixels) {
  Bytes bytes = record(6, 1) + record(9, 2);
  const Dataset dataset = parse_cifar10(bytes, "here");
  EXPECT_EQ(dataset.images.shape(), Shape({2, 32, 32, 3}));
  EXPECT_EQ(dataset.labels, (Bytes{6, 9}));
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t y = 0; y < 32; ++y) {
      for (int64_t x = 0; x < 32; ++x) {
        for (int64_t c = 0; c < 3; ++c) {
          ASSERT_EQ(dataset.images(n, y, x, c),
                    bytes[static_cast<size_t>(n * 3073 + 1 + c * 1024 + y * 32 + x)]);
        }
      }
    }
  }
}

TEST(Cifar10, NamesTheClassesInTheirOrder) {
  const Dataset dataset = parse_cifar10(record(0, 1), "here");
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"airplane", "automobile", "bird", "cat", "deer",
                                                           "dog", "frog", "horse", "ship", "truck"}));
  EXPECT_EQ(dataset.name, "cifar10");
}

TEST(Cifar10, RefusesBadBytes) {
  const auto parse = [](const Bytes& bytes) {
    return [&bytes] { parse_cifar10(bytes, "the file", "do this"); };
  };
  expect_error(parse({}), ErrorKind::kData, {"the file", "empty", "do this"});
  expect_error(parse({1}), ErrorKind::kData, {"the file", "3073", "found 1"});
  const Bytes good = records(3, 1);
  expect_error(parse(good + Bytes{0}), ErrorKind::kData, {"the file", "found 9220", "do this"});
  expect_error(parse(Bytes(good.begin(), good.end() - 1)), ErrorKind::kData, {"found 9218"});
  expect_error(parse(good + record(10, 1)), ErrorKind::kData, {"the file, image 3", "below 10", "found 10"});
}

class Cifar10Folder : public testing::Test {
 protected:
  static constexpr int64_t kRecords = 4;

  void SetUp() override {
    for (uint64_t i = 1; i <= 5; ++i) write(concat("data_batch_", i, ".bin"), records(kRecords, i));
    write("test_batch.bin", records(kRecords, 6));
  }
  void write(const std::string& name, const Bytes& bytes) { write_file(folder_ / name, bytes); }
  DatasetPair load() const { return load_cifar10(folder_.path(), kRecords); }
  void expect_refusal(ErrorKind kind, std::vector<std::string> parts) const {
    parts.push_back("data/fetch cifar10");
    expect_error([this] { load(); }, kind, parts);
  }

  TemporaryFolder folder_;
};

TEST_F(Cifar10Folder, IsReadInOrder) {
  const DatasetPair cifar = load();
  EXPECT_EQ(cifar.train.images.shape(), Shape({5 * kRecords, 32, 32, 3}));
  EXPECT_EQ(cifar.test.images.shape(), Shape({kRecords, 32, 32, 3}));
  for (uint64_t i = 1; i <= 5; ++i) {
    const Dataset part = parse_cifar10(records(kRecords, i), "here");
    const int64_t offset = static_cast<int64_t>(i - 1) * part.images.size();
    EXPECT_TRUE(std::equal(part.images.begin(), part.images.end(), cifar.train.images.begin() + offset)) << i;
  }
  EXPECT_EQ(cifar.train.labels, (Bytes{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}));
}

TEST_F(Cifar10Folder, WithoutAFile) {
  std::filesystem::remove(folder_ / "data_batch_4.bin");
  expect_refusal(ErrorKind::kIo, {"data_batch_4.bin"});
}

TEST_F(Cifar10Folder, WithAnEmptyFile) {
  write("test_batch.bin", {});
  expect_refusal(ErrorKind::kData, {"test_batch.bin", "empty"});
}

// The length is a whole number of records, so that only the number of them gives it away.
TEST_F(Cifar10Folder, WithARecordMissing) {
  write("data_batch_2.bin", records(kRecords - 1, 2));
  expect_refusal(ErrorKind::kData, {"data_batch_2.bin", "truncated", "12292", "9219"});
}

TEST_F(Cifar10Folder, WithARecordTooMany) {
  write("data_batch_2.bin", records(kRecords + 1, 2));
  expect_refusal(ErrorKind::kData, {"data_batch_2.bin", "too long"});
}

TEST_F(Cifar10Folder, WithABadLabel) {
  write("data_batch_5.bin", records(kRecords - 1, 5) + record(200, 1));
  expect_refusal(ErrorKind::kData, {"data_batch_5.bin", "image 3", "200"});
}

TEST_F(Cifar10Folder, WithAFolderForAFile) {
  std::filesystem::remove(folder_ / "data_batch_1.bin");
  std::filesystem::create_directory(folder_ / "data_batch_1.bin");
  expect_refusal(ErrorKind::kIo, {"data_batch_1.bin"});
}

}  // namespace
}  // namespace qlimit
