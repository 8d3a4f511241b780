// Shapes, tensors and the text of errors.

#include "core/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

std::string text_of(const ErrorParts& parts) { return Error(ErrorKind::kData, parts).what(); }

TEST(Error, SaysItsPartsInOneLine) {
  EXPECT_EQ(text_of({.what = "a", .where = "b", .expected = "c", .found = "d", .hint = "e"}),
            "a: b: expected c, found d (e)");
}

TEST(Error, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(text_of({.what = "a"}), "a");
  EXPECT_EQ(text_of({.what = "a", .found = "d"}), "a: found d");
  EXPECT_EQ(text_of({.what = "a", .where = "b", .hint = "e"}), "a: b (e)");
  EXPECT_EQ(text_of({.what = "a", .expected = "c"}), "a: expected c");
}

TEST(Error, KeepsOneLineWhateverANameHolds) {
  EXPECT_EQ(text_of({.what = "a", .where = "x\ny\x1B[2J\r"}), "a: x?y?[2J?");
  EXPECT_EQ(text_of({.what = "a", .where = "Größe"}), "a: Größe");
}

TEST(Error, HasAKind) { EXPECT_EQ(Error(ErrorKind::kNumeric, {.what = "x"}).kind(), ErrorKind::kNumeric); }

TEST(Shape, KnowsItsDimensions) {
  const Shape shape({2, 3, 4, 5});
  EXPECT_EQ(shape.rank(), 4);
  EXPECT_EQ(shape.size(), 120);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[-1], 5);
  EXPECT_EQ(shape[-4], 2);
  EXPECT_EQ(shape.to_string(), "[2,3,4,5]");
}

TEST(Shape, AScalarHasOneElementAndAZeroDimensionNone) {
  EXPECT_EQ(Shape().size(), 1);
  EXPECT_EQ(Shape().rank(), 0);
  EXPECT_EQ(Shape().to_string(), "[]");
  EXPECT_EQ(Shape({3, 0, 2}).size(), 0);
}

TEST(Shape, EqualityLooksAtRankToo) {
  EXPECT_EQ(Shape({2, 3}), Shape({2, 3}));
  EXPECT_NE(Shape({2, 3}), Shape({3, 2}));
  EXPECT_NE(Shape({2}), Shape({2, 1}));
  EXPECT_NE(Shape(), Shape({1}));
}

TEST(Shape, RefusesWhatIsNoShape) {
  expect_error([] { Shape({1, 1, 1, 1, 1}); }, ErrorKind::kUsage, {"too many dimensions", "found 5"});
  expect_error([] { Shape({2, -1}); }, ErrorKind::kUsage, {"negative", "-1"});
  expect_error([] { Shape({2})[1]; }, ErrorKind::kUsage, {"no such dimension", "[2]"});
  expect_error([] { Shape({2})[-2]; }, ErrorKind::kUsage, {"no such dimension"});
}

TEST(Shape, ItsSizeNeverOverflows) {
  EXPECT_EQ(Shape({int64_t{1} << 30, int64_t{1} << 29}).size(), int64_t{1} << 59);
  expect_error([] { Shape({int64_t{1} << 30, int64_t{1} << 30}); }, ErrorKind::kUsage, {"too large"});
  expect_error([] { Shape({std::numeric_limits<int64_t>::max()}); }, ErrorKind::kUsage, {"too large"});
  expect_error([] { Shape({1 << 16, 1 << 16, 1 << 16, 1 << 16}); }, ErrorKind::kUsage, {"too large"});
}

TEST(Tensor, IsRowMajor) {
  Tensor<int32_t> x({2, 3, 4, 5});
  int32_t count = 0;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t w = 0; w < 4; ++w)
        for (int64_t c = 0; c < 5; ++c) x(n, h, w, c) = count++;
  for (int64_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], i);
}

TEST(Tensor, StartsAsZerosEvenInUsedMemory) {
  for (int round = 0; round < 3; ++round) {
    Tensor<float> x({100});
    for (float value : x) EXPECT_EQ(value, 0.0f);
    x.fill(7);
  }
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor<float> x({2}, {1, 2});
  EXPECT_FALSE(x.shares_storage());
  Tensor<float> same = x, other = x.clone();
  EXPECT_TRUE(x.shares_storage());
  same[0] = 5;
  EXPECT_EQ(x[0], 5);
  EXPECT_EQ(other[0], 1);
}

TEST(Tensor, ReshapeKeepsTheNumbers) {
  Tensor<float> x({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor<float> y = x.reshape({3, 2});
  EXPECT_EQ(y(2, 0), 4);
  y(0, 0) = 9;
  EXPECT_EQ(x(0, 0), 9);
  expect_error([&] { x.reshape({4}); }, ErrorKind::kUsage, {"reshape", "[2,3]", "[4]"});
}

TEST(Tensor, EmptyHandleAndTensorWithoutElementsDiffer) {
  EXPECT_TRUE(Tensor<float>().empty());
  EXPECT_EQ(Tensor<float>().size(), 0);
  EXPECT_TRUE(Tensor<float>().clone().empty());
  EXPECT_FALSE(Tensor<float>({0, 3}).empty());
  EXPECT_EQ(Tensor<float>({0, 3}).clone().shape(), Shape({0, 3}));
}

TEST(Tensor, ValuesMustFitTheShape) {
  expect_error(
      [] {
        Tensor<float>({2, 2}, {1, 2, 3});
      },
      ErrorKind::kUsage, {"[2,2]", "expected 4", "found 3"});
  EXPECT_EQ(Tensor<uint8_t>(Shape(), {7})[0], 7);
  EXPECT_EQ(Tensor<int8_t>::full({3}, -4)[2], -4);
}

}  // namespace
}  // namespace qlimit
