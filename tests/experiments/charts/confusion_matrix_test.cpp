#include "experiments/charts/confusion_matrix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const ConfusionMatrix kThree = {.title = "three",
                                .class_names = {"cat", "dog", "frog"},
                                .counts = {8, 2, 0,  //
                                           1, 9, 0,  //
                                           0, 0, 0}};

TEST(ConfusionMatrixChart, RecallIsTheShareOfTheRowOnTheDiagonal) {
  EXPECT_DOUBLE_EQ(recall(kThree, 0), 0.8);
  EXPECT_DOUBLE_EQ(recall(kThree, 1), 0.9);
  EXPECT_TRUE(std::isnan(recall(kThree, 2)));
  EXPECT_DOUBLE_EQ(accuracy(kThree), 17.0 / 20);
}

// The colours tell rows from columns: cats taken for dogs (row 0, column 1) must lie above the diagonal.
TEST(ConfusionMatrixChart, RowIsTheTruthAndColumnThePrediction) {
  const ConfusionMatrix matrix = {.class_names = {"a", "b"}, .counts = {5, 5, 0, 10}};
  const Canvas canvas = draw_confusion_matrix(matrix);
  int orange_sum_x = 0, orange_sum_y = 0, orange = 0, blue_sum_x = 0, blue_sum_y = 0, blue = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      const auto [r, g, b] = canvas.pixel(x, y);
      if (r > b + 120) ++orange, orange_sum_x += x, orange_sum_y += y;
      if (b > r + 160) ++blue, blue_sum_x += x, blue_sum_y += y;  // only the full row is that deep
    }
  }
  ASSERT_GT(orange, 1000);
  ASSERT_GT(blue, 1000);
  EXPECT_LT(orange_sum_y / orange + 40, blue_sum_y / blue);                   // the row above
  EXPECT_NEAR(orange_sum_x / double(orange), blue_sum_x / double(blue), 10);  // the same column
}

TEST(ConfusionMatrixChart, DrawsOneToTwentyClassesWithLongNamesAndLargeCounts) {
  for (const size_t classes : {1, 2, 10, 20}) {
    ConfusionMatrix matrix;
    for (size_t k = 0; k < classes; ++k) matrix.class_names.push_back("a rather long name");
    matrix.counts.assign(classes * classes, 123456789);
    EXPECT_GT(draw_confusion_matrix(matrix).width(), static_cast<int>(classes) * 60);
  }
}

TEST(ConfusionMatrixChart, RefusesWrongSizesAndNegativeCounts) {
  ConfusionMatrix matrix = kThree;
  matrix.counts.pop_back();
  expect_error([&] { draw_confusion_matrix(matrix); }, ErrorKind::kUsage,
               {"wrong size", "3 classes and 8 counts"});
  matrix.counts.push_back(-1);
  expect_error([&] { draw_confusion_matrix(matrix); }, ErrorKind::kUsage, {"negative count", "found -1"});
  expect_error([] { draw_confusion_matrix({}); }, ErrorKind::kUsage, {"wrong size", "0 classes"});
}

}  // namespace
}  // namespace qlimit
