#include "experiments/inference/comparison.h"

#include <cmath>
#include <limits>

#include "core/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

const Shape kShape = {2, 2, 3};

Tensor<int8_t> integers() { return {kShape, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -128}}; }
Tensor<float> floats() { return {kShape, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -128}}; }

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

TEST(CompareTensors, EqualBitsAreEqual) {
  Tensor<float> odd = floats();
  odd[3] = std::numeric_limits<float>::quiet_NaN();
  for (const NpyArray& array : {NpyArray(integers()), NpyArray(floats()), NpyArray(odd)}) {
    const TensorComparison c = compare_tensors("x", array, array);
    EXPECT_TRUE(c.equal());
    EXPECT_EQ(c.elements, 12);
    EXPECT_EQ(c.differing_bytes, 0);
  }
}

TEST(CompareTensors, CountsElementsAndFindsTheLargestDifference) {
  Tensor<int8_t> other = integers();
  other[4] = 3;     // by 1, at [0,1,1]
  other[11] = 127;  // by 255, which does not fit a byte
  const TensorComparison c = compare_tensors("x", integers(), other);
  EXPECT_FALSE(c.equal());
  EXPECT_EQ(c.differing, 2);
  EXPECT_EQ(c.differing_bytes, 2);
  EXPECT_EQ(c.largest, 255);
  EXPECT_EQ(c.first, "[0,1,1]");
}

TEST(CompareTensors, CountsTheBytesOfFloats) {
  Tensor<float> other = floats();
  other[1] = std::nextafter(1.0f, 2.0f);  // 3f800000 and 3f800001
  other[2] = 3.0f;                        // 40000000 and 40400000
  const TensorComparison c = compare_tensors("x", floats(), other);
  EXPECT_EQ(c.differing, 2);
  EXPECT_EQ(c.differing_bytes, 2);
  EXPECT_EQ(c.largest, 1);
  EXPECT_EQ(c.first, "[0,0,1]");
}

TEST(CompareTensors, ZerosOfBothSignsDifferInABit) {
  Tensor<float> other = floats();
  other[0] = -0.0f;
  const TensorComparison c = compare_tensors("x", floats(), other);
  EXPECT_EQ(c.differing, 1);
  EXPECT_EQ(c.largest, 0);
}

TEST(CompareTensors, WhatIsNoNumberIsTheLargestDifference) {
  for (const int64_t place : {int64_t{0}, int64_t{11}}) {
    Tensor<float> other = floats();
    other[5] = 1000;
    other[place] = std::numeric_limits<float>::quiet_NaN();
    const TensorComparison c = compare_tensors("x", floats(), other, 0.5);
    EXPECT_EQ(c.differing, 2);
    EXPECT_TRUE(std::isnan(c.largest));
  }
}

TEST(CompareTensors, AToleranceForgivesSmallDifferences) {
  Tensor<float> other = floats();
  other[1] = 1.25f;
  other[2] = 2.5f;
  EXPECT_EQ(compare_tensors("x", floats(), other, 0.25).differing, 1);
  EXPECT_EQ(compare_tensors("x", floats(), other, 0.25).first, "[0,0,2]");
  EXPECT_TRUE(compare_tensors("x", floats(), other, 0.5).equal());
}

TEST(CompareTensors, OtherShapesAndTypesAreProblems) {
  expect_contains(compare_tensors("x", integers(), integers().reshape({12})).problem, {"[2,2,3]", "[12]"});
  expect_contains(compare_tensors("x", integers(), floats()).problem, {"int8", "float32"});
  EXPECT_FALSE(compare_tensors("x", integers(), floats()).equal());
}

class CompareLayers : public testing::Test {
 protected:
  // Three tensors, of which the folder holds the same.
  CompareLayers() {
    for (int i = 0; i < 3; ++i)
      layers_.push_back({.number = i, .name = concat("a/b;", i), .values = integers()});
    write_layers(folder_.path(), layers_);
  }
  ComparisonResult compare() const { return compare_layers(layers_, folder_.path()); }

  TemporaryFolder folder_;
  std::vector<LayerTensor> layers_;
};

TEST_F(CompareLayers, WhatWasWrittenIsEqual) {
  EXPECT_TRUE(std::filesystem::exists(folder_ / "02_a_b_2.npy"));
  EXPECT_TRUE(compare().equal());
  EXPECT_EQ(compare().first_difference(), nullptr);
  expect_contains(compare().verdict(), {"equal", "3 tensors", "36 elements"});
}

TEST_F(CompareLayers, TheFirstDifferenceIsNamed) {
  Tensor<int8_t> other = integers();
  other[7] = 9;
  for (const char* file : {"01_a_b_1.npy", "02_a_b_2.npy"}) write_npy(folder_ / file, other);
  const ComparisonResult result = compare();
  EXPECT_FALSE(result.equal());
  ASSERT_NE(result.first_difference(), nullptr);
  EXPECT_EQ(result.first_difference()->name, "01_a_b_1");
  expect_contains(result.verdict(), {"2 of 3 tensors", "01_a_b_1", "1 of 12 elements", "[1,0,1]", "by 2"});
  expect_contains(result.table(), {"00_a_b_0", "01_a_b_1", "[1,0,1]"});
}

TEST_F(CompareLayers, OnlyTheNumberOfAFileCounts) {
  std::filesystem::rename(folder_ / "01_a_b_1.npy", folder_ / "0001_other.npy");
  write_file(folder_ / "notes.txt", "no tensor");
  write_file(folder_ / "5.npy", "no number before a line");
  EXPECT_TRUE(compare().equal());
}

TEST_F(CompareLayers, AMissingTensorIsADifference) {
  std::filesystem::remove(folder_ / "01_a_b_1.npy");
  EXPECT_FALSE(compare().equal());
  expect_contains(compare().verdict(), {"1 of 3", "01_a_b_1", "not there"});
}

TEST_F(CompareLayers, RefusesFoldersThatAreNone) {
  write_npy(folder_ / "01_twice.npy", integers());
  expect_error([&] { compare(); }, ErrorKind::kData, {"two files", "01_"});
  const TemporaryFolder empty;
  expect_error([&] { compare_layers(layers_, empty.path()); }, ErrorKind::kData,
               {"no tensors", "03_conv2d_2.npy"});
  expect_error([&] { compare_layers(layers_, empty / "nowhere"); }, ErrorKind::kIo, {"nowhere"});
}

TEST_F(CompareLayers, RefusesADamagedFile) {
  write_file(folder_ / "01_a_b_1.npy", "garbage");
  expect_error([&] { compare(); }, ErrorKind::kData, {"01_a_b_1.npy"});
}

TEST(CompareOutput, ReadsTheFile) {
  const TemporaryFolder folder;
  write_npy(folder / "o.npy", integers());
  EXPECT_TRUE(compare_output(integers(), folder / "o.npy").equal());
  Tensor<int8_t> other = integers();
  other[0] = 1;
  expect_contains(compare_output(other, folder / "o.npy").verdict(), {"output", "1 of 12 elements"});
}

TEST(LayerFileName, IsSafeOrderedAndShort) {
  EXPECT_EQ(layer_file_name(3, "conv2d_2"), "03_conv2d_2.npy");
  EXPECT_EQ(layer_file_name(117, "model/conv:0;../../etc passwd\n"),
            "117_model_conv_0_.._.._etc_passwd_.npy");
  EXPECT_LT(layer_file_name(1, std::string(5000, 'x')).size(), 100u);
}

}  // namespace
}  // namespace qlimit
