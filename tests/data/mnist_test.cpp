#include "data/mnist.h"

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

class MnistFolder : public testing::Test {
 protected:
  void SetUp() override {
    write("train-images-idx3-ubyte", idx_file({4, 28, 28}, random_bytes(4 * 784)));
    write("train-labels-idx1-ubyte", idx_file({4}, {3, 1, 9, 0}));
    write("t10k-images-idx3-ubyte", idx_file({2, 28, 28}, random_bytes(2 * 784, 2)));
    write("t10k-labels-idx1-ubyte", idx_file({2}, {5, 8}));
  }
  void write(const std::string& name, const Bytes& bytes) { write_file(folder_ / name, bytes); }
  void remove(const std::string& name) { std::filesystem::remove(folder_ / name); }
  void expect_refusal(ErrorKind kind, const std::vector<std::string>& parts) const {
    expect_error([this] { load_mnist(folder_.path()); }, kind, parts);
  }

  TemporaryFolder folder_;
};

TEST_F(MnistFolder, IsRead) {
  const DatasetPair mnist = load_mnist(folder_.path());
  EXPECT_EQ(mnist.train.images.shape(), Shape({4, 28, 28, 1}));
  EXPECT_EQ(mnist.test.images.shape(), Shape({2, 28, 28, 1}));
  const Bytes pixels = random_bytes(2 * 784, 2);
  EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), mnist.test.images.begin()));
  EXPECT_EQ(mnist.train.labels, (Bytes{3, 1, 9, 0}));
  EXPECT_EQ(mnist.test.labels, (Bytes{5, 8}));
  EXPECT_EQ(mnist.train.class_names.size(), 10u);
  EXPECT_EQ(mnist.train.class_names[7], "7");
  EXPECT_EQ(mnist.test.name, "mnist");
}

TEST_F(MnistFolder, MayBeCompressed) {
  remove("t10k-images-idx3-ubyte");
  write("t10k-images-idx3-ubyte.gz", gzip(idx_file({2, 28, 28}, random_bytes(2 * 784, 7))));
  EXPECT_EQ(load_mnist(folder_.path()).test.images[0], random_bytes(1, 7)[0]);
}

TEST_F(MnistFolder, MayHoldClothes) {
  const DatasetPair fashion = load_fashion_mnist(folder_.path());
  EXPECT_EQ(fashion.train.name, "fashion_mnist");
  EXPECT_EQ(fashion.test.class_names,
            (std::vector<std::string>{"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal",
                                      "shirt", "sneaker", "bag", "ankle boot"}));
}

TEST_F(MnistFolder, WithoutAFile) {
  remove("train-labels-idx1-ubyte");
  expect_refusal(ErrorKind::kIo, {"train-labels-idx1-ubyte", "data/fetch mnist"});
  expect_error([this] { load_fashion_mnist(folder_.path()); }, ErrorKind::kIo, {"data/fetch fashion_mnist"});
}

TEST_F(MnistFolder, WithTooFewLabels) {
  write("train-labels-idx1-ubyte", idx_file({3}, {3, 1, 9}));
  expect_refusal(ErrorKind::kData, {"train-images", "4 labels", "found 3", "data/fetch mnist"});
}

TEST_F(MnistFolder, WithTooManyLabels) {
  write("t10k-labels-idx1-ubyte", idx_file({3}, {3, 1, 9}));
  expect_refusal(ErrorKind::kData, {"t10k-images", "2 labels", "found 3"});
}

TEST_F(MnistFolder, WithABadLabel) {
  write("t10k-labels-idx1-ubyte", idx_file({2}, {0, 10}));
  expect_refusal(ErrorKind::kData, {"t10k", "image 1", "found 10", "data/fetch mnist"});
}

TEST_F(MnistFolder, WithImagesOfAnotherSize) {
  write("t10k-images-idx3-ubyte", idx_file({2, 28, 14}, random_bytes(784)));
  expect_refusal(ErrorKind::kData, {"t10k-images-idx3-ubyte", "28x28", "28x14", "data/fetch mnist"});
}

TEST_F(MnistFolder, WithATruncatedFile) {
  write("train-images-idx3-ubyte", idx_file({4, 28, 28}, random_bytes(4 * 784 - 1)));
  expect_refusal(ErrorKind::kData, {"train-images-idx3-ubyte", "truncated", "data/fetch mnist"});
}

}  // namespace
}  // namespace qlimit
