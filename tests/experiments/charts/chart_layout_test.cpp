#include "experiments/charts/chart_layout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qlimit {
namespace {

constexpr Box kPlot = {100, 50, 700, 450};

TEST(PanelBoxes, FillRowsAndDoNotTouch) {
  const PanelGrid grid = {.columns = 2, .top = 120, .height = 300, .left = 90, .right = 40, .below = 100};
  const std::vector<Box> boxes = panel_boxes(3, grid);
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_DOUBLE_EQ(boxes[0].left, 90);
  EXPECT_DOUBLE_EQ(boxes[0].right, 760);
  EXPECT_DOUBLE_EQ(boxes[1].left, 890);
  EXPECT_DOUBLE_EQ(boxes[1].top, 120);
  EXPECT_DOUBLE_EQ(boxes[2].left, 90);
  EXPECT_DOUBLE_EQ(boxes[2].top, 120 + 300 + 100);
  EXPECT_EQ(chart_height(3, grid), 820 + static_cast<int>(grid.bottom));
}

TEST(ChartHeading, GrowsWithItsLinesAndItsLegend) {
  const double one = heading_height({.title = "t", .subtitle = "a"});
  EXPECT_GT(heading_height({.title = "t", .subtitle = "a\nb"}), one);
  EXPECT_GT(heading_height({.title = "t", .subtitle = "a", .legend = {{"x", kBlue}}}), one);
}

TEST(ValueAxis, ALinearOneHasRoomAroundTheValues) {
  const ValueAxis axis(10, 20, std::nullopt, kPlot);
  EXPECT_LT(axis.at(20), axis.at(10));  // upwards
  EXPECT_GT(axis.at(20), kPlot.top);
  EXPECT_LT(axis.at(10), kPlot.bottom);
  EXPECT_NEAR(axis.at(15), (axis.at(10) + axis.at(20)) / 2, 1e-9);
}

TEST(ValueAxis, WithAFloorEqualRatiosAreEqualDistances) {
  const ValueAxis axis(-3, 50, 0.05, kPlot);
  EXPECT_NEAR(axis.at(0.1) - axis.at(1), axis.at(1) - axis.at(10), 1e-9);
  for (const double low : {0.05, 0.01, 0.0, -3.0}) EXPECT_DOUBLE_EQ(axis.at(low), kPlot.bottom);
  EXPECT_GT(axis.at(50), kPlot.top);
}

TEST(RangeOfValues, IgnoresWhatIsNotFinite) {
  RangeOfValues range;
  EXPECT_TRUE(range.empty());
  range.add(NAN);
  range.add(INFINITY);
  EXPECT_TRUE(range.empty());
  range.add(3);
  range.add(-2);
  EXPECT_DOUBLE_EQ(range.low(), -2);
  EXPECT_DOUBLE_EQ(range.high(), 3);
}

TEST(LogarithmicAxis, ShowsASingleValueToo) {
  RangeOfValues one;
  one.add(512);
  const Axis axis = logarithmic_axis(one, kPlot, "images");
  EXPECT_NEAR(axis.scale(512), (kPlot.left + kPlot.right) / 2, 1e-6);
}

}  // namespace
}  // namespace qlimit
