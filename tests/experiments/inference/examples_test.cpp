#include "experiments/inference/examples.h"

#include "core/file.h"
#include "data/location.h"
#include "tests/data/made_png.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Labels = std::vector<int64_t>;

const Shape kDigit = {1, 28, 28, 1};
const fs::path kTiny = fs::path(QLIMIT_SOURCE_DIR) / "data/tiny";

// What encoder and type make of one example.
template <typename T>
std::vector<T> encoded(const Examples& examples, AffineParams params = {}, int64_t first = 0,
                       int64_t count = 1) {
  const DataType type = std::is_same_v<T, int8_t> ? DataType::kInt8 : DataType::kFloat32;
  const int64_t size = shape_of(examples.values).size() / examples.size();
  std::vector<T> result(static_cast<size_t>(count * size));
  InputEncoder(examples, type, params).encode(first, count, result.data());
  return result;
}

class ExampleFiles : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string array(const NpyArray& values) const {
    write_npy(folder_ / "array.npy", values);
    return path("array.npy");
  }
  TemporaryFolder folder_;
};

TEST(Examples, TinyIsTheTestPartNormalizedByTheTrainingPart) {
  const Examples examples = load_examples({.data = "tiny"}, kDigit);
  const DatasetPair tiny = load_dataset("mnist", "tiny");
  EXPECT_EQ(examples.size(), 200);
  EXPECT_EQ(examples.labels, Labels(tiny.test.labels.begin(), tiny.test.labels.end()));
  EXPECT_EQ(examples.class_names, tiny.test.class_names);
  const Normalization train = channel_statistics(tiny.train);
  EXPECT_EQ(examples.normalization.mean, train.mean);
  const std::vector<float> image = encoded<float>(examples, {}, 7);
  for (size_t i = 0; i < image.size(); ++i) {
    const double x = tiny.test.images[7 * 784 + static_cast<int64_t>(i)] / 255.0;
    EXPECT_FLOAT_EQ(image[i], static_cast<float>((x - train.mean[0]) / train.deviation[0]));
  }
}

TEST(Examples, AFolderWithADataSetIsThatDataSet) {
  const Examples examples = load_examples({.data = kTiny.string(), .limit = 30}, kDigit);
  EXPECT_EQ(examples.name, "mnist, test images");
  EXPECT_EQ(examples.size(), 30);
  EXPECT_EQ(examples.labels.size(), 30u);
}

TEST(Examples, AnInputMayLeaveOutAxesOfOneOrBeFlat) {
  for (const Shape& input : {Shape{1, 28, 28, 1}, Shape{4, 28, 28, 1}, Shape{1, 28, 28}, Shape{1, 784}})
    EXPECT_EQ(load_examples({.data = "tiny"}, input).size(), 200) << input.to_string();
  for (const Shape& input : {Shape{1, 32, 32, 3}, Shape{1, 1, 784, 1}, Shape{1, 14, 56, 1}, Shape{1, 783}})
    expect_error([&] { load_examples({.data = "tiny"}, input); }, ErrorKind::kData,
                 {"do not fit", input.to_string(), "[200,28,28,1]"});
}

TEST_F(ExampleFiles, PixelsOfAnArrayAreNormalizedAsWanted) {
  const std::string data = array(Tensor<uint8_t>({1, 1, 2, 2}, {0, 255, 51, 102}));
  const auto with = [&](const std::string& normalize) {
    return encoded<float>(load_examples({.data = data, .normalize = normalize}, {1, 1, 2, 2}));
  };
  EXPECT_EQ(with(""), (std::vector<float>{0, 1, 0.2f, 0.4f}));
  EXPECT_EQ(with("unit"), with(""));
  EXPECT_EQ(with("none"), (std::vector<float>{0, 255, 51, 102}));
  EXPECT_EQ(with("0.5/0.5"), (std::vector<float>{-1, 1, -0.6f, -0.2f}));
  EXPECT_EQ(with("0,0.5/1,0.25"), (std::vector<float>{0, 2, 0.2f, -0.4f}));
  EXPECT_EQ(load_examples({.data = data, .normalize = "none"}, {1, 1, 2, 2}).normalization_name, "none");
}

TEST_F(ExampleFiles, NormalizationThatMakesNoSenseIsRefused) {
  const std::string data = array(Tensor<uint8_t>({1, 1, 2, 2}, {0, 255, 51, 102}));
  for (const char* wrong :
       {"half", "0.5", "0.5/", "/0.5", "0.5/0", "0.5/-1", "1,2,3/1", "nan/1", "1/inf", "1;2/3", "0x/1"})
    expect_error(
        [&] {
          load_examples({.data = data, .normalize = wrong}, {1, 1, 2, 2});
        },
        ErrorKind::kUsage, {"--normalize", "MEAN/STD", wrong});
  expect_error(
      [&] {
        load_examples({.data = data, .normalize = "dataset"}, {1, 1, 2, 2});
      },
      ErrorKind::kUsage, {"--normalize dataset", "no data set"});
}

TEST_F(ExampleFiles, ADataSetsStatisticsServeOtherPictures) {
  write_file(folder_ / "seven.png", made_png(28, 28, PngColour::kGrey, std::vector<uint8_t>(784, 255)));
  const Examples examples = load_examples({.data = path("seven.png"), .normalize = "tiny"}, kDigit);
  EXPECT_EQ(examples.size(), 1);
  EXPECT_TRUE(examples.labels.empty());
  const Normalization train = channel_statistics(load_dataset("mnist", "tiny").train);
  EXPECT_FLOAT_EQ(encoded<float>(examples)[5], static_cast<float>((1 - train.mean[0]) / train.deviation[0]));
}

TEST_F(ExampleFiles, BytesAreQuantizedLikeTheFloatsTheyMean) {
  const AffineParams grid{.scale = 0.02f, .zero_point = -40};
  Tensor<uint8_t> all({256, 1});
  for (int64_t i = 0; i < 256; ++i) all[i] = static_cast<uint8_t>(i);
  const Examples pixels = load_examples({.data = array(all), .normalize = "0.3/0.4"}, {1, 1});
  const std::vector<float> reals = encoded<float>(pixels, {}, 0, 256);
  const std::vector<int8_t> bytes = encoded<int8_t>(pixels, grid, 0, 256);
  const Examples floats = load_examples({.data = array(Tensor<float>({256, 1}, reals))}, {1, 1});
  EXPECT_EQ(encoded<int8_t>(floats, grid, 0, 256), bytes);
  for (size_t i = 0; i < 256; ++i) EXPECT_EQ(bytes[i], quantize(reals[i], grid));
}

TEST_F(ExampleFiles, StoredBytesAndFloatsGoAsTheyAre) {
  const Examples stored =
      load_examples({.data = array(Tensor<int8_t>({2, 3}, {1, -2, 3, -4, 5, -6}))}, {1, 3});
  EXPECT_EQ(encoded<int8_t>(stored, {.scale = 9, .zero_point = 9}, 1), (std::vector<int8_t>{-4, 5, -6}));
  expect_error([&] { encoded<float>(stored); }, ErrorKind::kUsage, {"takes floats", "int8"});
  const Examples reals = load_examples({.data = array(Tensor<float>({2, 3}, {1, -2, 3, -4, 5, -6}))}, {1, 3});
  EXPECT_EQ(encoded<float>(reals, {}, 1), (std::vector<float>{-4, 5, -6}));
  EXPECT_TRUE(reals.normalization_name.empty());
}

TEST_F(ExampleFiles, ASingleExampleMayLeaveOutTheBatch) {
  EXPECT_EQ(load_examples({.data = array(Tensor<float>({2, 3}))}, {1, 2, 3}).size(), 1);
  EXPECT_EQ(load_examples({.data = array(Tensor<float>({2, 3}))}, {8, 3}).size(), 2);
}

// As MNIST is kept elsewhere: without its axis of one channel, or with that axis in front.
TEST_F(ExampleFiles, AxesOfSizeOneMayBeLeftOutOrStandElsewhere) {
  Tensor<uint8_t> digits({5, 28, 28});
  for (int64_t i = 0; i < digits.size(); ++i) digits[i] = static_cast<uint8_t>(i % 251);
  const Tensor<uint8_t> one({28, 28});
  const Examples expected =
      load_examples({.data = array(digits.reshape({5, 28, 28, 1})), .normalize = "0.1/0.3"}, kDigit);
  for (const Shape& shape : {Shape{5, 28, 28}, Shape{5, 1, 28, 28}}) {
    const Examples examples =
        load_examples({.data = array(digits.reshape(shape)), .normalize = "0.1/0.3"}, kDigit);
    EXPECT_EQ(shape_of(examples.values), Shape({5, 28, 28, 1}));
    EXPECT_EQ(encoded<float>(examples, {}, 0, 5), encoded<float>(expected, {}, 0, 5));
  }
  const Shape channels_first = {1, 1, 28, 28};
  for (const Shape& shape : {Shape{5, 28, 28}, Shape{5, 28, 28, 1}}) {
    const Examples examples =
        load_examples({.data = array(digits.reshape(shape)), .normalize = "tiny"}, channels_first);
    EXPECT_EQ(examples.size(), 5);
    EXPECT_EQ(encoded<float>(examples, {}, 0, 5).size(), size_t{5 * 28 * 28}) << "one channel";
  }
  for (const Shape& shape : {Shape{28, 28}, Shape{28, 28, 1}, Shape{1, 28, 28}, Shape{1, 28, 28, 1}})
    EXPECT_EQ(load_examples({.data = array(one.reshape(shape))}, kDigit).size(), 1) << shape.to_string();
}

TEST_F(ExampleFiles, ArraysHaveLabelsFromAnotherFile) {
  const std::string data = array(Tensor<float>({3, 2}));
  write_npy(folder_ / "labels.npy", Tensor<int64_t>({3}, {7, 0, 9}));
  const Examples all = load_examples({.data = data, .labels = path("labels.npy")}, {1, 2});
  EXPECT_EQ(all.labels, (Labels{7, 0, 9}));
  EXPECT_EQ(load_examples({.data = data, .labels = path("labels.npy"), .limit = 2}, {1, 2}).labels,
            (Labels{7, 0}));
  write_npy(folder_ / "labels.npy", Tensor<int64_t>({2}, {7, 0}));
  expect_error(
      [&] {
        load_examples({.data = data, .labels = path("labels.npy")}, {1, 2});
      },
      ErrorKind::kData, {"labels.npy", "3 labels", "[2]"});
  write_npy(folder_ / "labels.npy", Tensor<int32_t>({3}, {7, -1, 9}));
  expect_error(
      [&] {
        load_examples({.data = data, .labels = path("labels.npy")}, {1, 2});
      },
      ErrorKind::kData, {"labels.npy", "from 0", "-1"});
  write_npy(folder_ / "labels.npy", Tensor<float>({3}));
  expect_error(
      [&] {
        load_examples({.data = data, .labels = path("labels.npy")}, {1, 2});
      },
      ErrorKind::kData, {"labels.npy", "whole numbers", "float32"});
  expect_error([&] { load_examples({.data = "tiny", .labels = "l.npy"}, kDigit); }, ErrorKind::kUsage,
               {"--labels"});
}

TEST_F(ExampleFiles, FoldersOfPicturesHaveClasses) {
  for (const char* name : {"cats/1.png", "dogs/1.png", "dogs/2.png"}) {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, made_png(3, 2, PngColour::kRgb, std::vector<uint8_t>(18, 100)));
  }
  const Examples examples = load_examples({.data = folder_.path().string()}, {1, 2, 3, 3});
  EXPECT_EQ(examples.labels, (Labels{0, 1, 1}));
  EXPECT_EQ(examples.class_names, (std::vector<std::string>{"cats", "dogs"}));
  EXPECT_EQ(examples.normalization_name, "x/255");
  expect_error(
      [&] {
        load_examples({.data = folder_.path().string()}, {1, 2, 3, 4});
      },
      ErrorKind::kUsage, {"no picture", "FILE.npy"});
}

TEST_F(ExampleFiles, WhatIsNoDataIsRefused) {
  const auto refused = [&](const std::string& data, ErrorKind kind, const std::vector<std::string>& parts) {
    expect_error([&] { load_examples({.data = data}, kDigit); }, kind, parts);
  };
  refused("imagenet", ErrorKind::kUsage, {"--data", "cifar10", "imagenet"});
  refused(path("nowhere.npy"), ErrorKind::kIo, {"nowhere.npy"});
  refused(path("nowhere.png"), ErrorKind::kIo, {"nowhere.png"});
  refused(array(Tensor<int32_t>({1, 784})), ErrorKind::kData, {"int32", "uint8"});
  fs::create_directories(folder_ / "sets/mnist");
  refused(path("sets"), ErrorKind::kUsage, {"several data sets"});
  write_npy(folder_ / "float.npy", Tensor<float>({1, 784}));
  expect_error([&] { load_examples({.data = path("float.npy"), .normalize = "unit"}, kDigit); },
               ErrorKind::kUsage, {"--normalize", "pixels", "float32"});
}

TEST_F(ExampleFiles, ANormalizationFarFromTheInputsRangeIsDoubted) {
  const std::string data = array(Tensor<uint8_t>({1, 28, 28, 1}));
  const auto doubt = [&](const std::string& normalize, const AffineParams& grid) {
    const Examples examples = load_examples({.data = data, .normalize = normalize}, kDigit);
    return InputEncoder(examples, DataType::kInt8, grid).doubt();
  };
  const AffineParams unit{.scale = 1 / 255.0f, .zero_point = -128}, bytes{.scale = 1, .zero_point = -128};
  const AffineParams mnist{.scale = 0.0127f, .zero_point = -95};  // -0.42 ... 2.82
  EXPECT_EQ(doubt("unit", unit), "");
  EXPECT_EQ(doubt("none", bytes), "");
  EXPECT_EQ(doubt("0.1307/0.3081", mnist), "");
  EXPECT_NE(doubt("unit", mnist).find("from 0 to 1"), std::string::npos);
  EXPECT_NE(doubt("none", unit), "");
  EXPECT_NE(doubt("unit", bytes), "");
}

}  // namespace
}  // namespace qlimit
