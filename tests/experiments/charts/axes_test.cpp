#include "experiments/charts/axes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "tests/experiments/charts/color_count.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Values = std::vector<double>;

void expect_near(const Values& found, const Values& expected) {
  ASSERT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-9 * (1 + std::abs(expected[i])));
}

TEST(LinearTicks, StandAtRoundValues) {
  expect_near(linear_ticks(0, 100, 6), {0, 20, 40, 60, 80, 100});
  expect_near(linear_ticks(0, 100, 5), {0, 50, 100});
  expect_near(linear_ticks(0, 1, 11), {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0});
  expect_near(linear_ticks(98.83, 99.31, 6), {98.9, 99, 99.1, 99.2, 99.3});
  expect_near(linear_ticks(-3, 7, 6), {-2, 0, 2, 4, 6});
  expect_near(linear_ticks(1, 40, 5), {10, 20, 30, 40});
  expect_near(linear_ticks(0.0001, 0.01, 6), {0.002, 0.004, 0.006, 0.008, 0.01});
}

// A property over many ranges: inside, equally spaced by 1, 2 or 5 times a power of ten, neither too many nor
// so few that the next finer step would have fitted.
TEST(LinearTicks, KeepTheirPromiseOnManyRanges) {
  for (double low : {-1e6, -7.3, 0.0, 0.013, 98.7, 12345.6}) {
    for (double span : {1e-3, 0.07, 1.0, 3.7, 99.0, 1e7}) {
      for (int count : {2, 5, 9}) {
        const Values ticks = linear_ticks(low, low + span, count);
        EXPECT_LE(ticks.size(), static_cast<size_t>(count));
        if (ticks.size() < 2) continue;
        const double step = ticks[1] - ticks[0];
        const double digit = step / std::pow(10, std::floor(std::log10(step) + 1e-6));
        EXPECT_TRUE(std::abs(digit - 1) < 1e-5 || std::abs(digit - 2) < 1e-5 || std::abs(digit - 5) < 1e-5)
            << digit;
        for (size_t i = 0; i < ticks.size(); ++i) {
          EXPECT_NEAR(ticks[i], ticks[0] + static_cast<double>(i) * step, 1e-6 * span);
          EXPECT_GE(ticks[i], low - 1e-6 * span);
          EXPECT_LE(ticks[i], low + span + 1e-6 * span);
        }
        EXPECT_GE(span / step * 2.5 + 1, count) << low << " " << span;
      }
    }
  }
}

TEST(LinearTicks, RefuseWhatIsNoRange) {
  expect_error([] { linear_ticks(1, 1, 5); }, ErrorKind::kUsage, {"finite low < high", "[1, 1]"});
  expect_error([] { linear_ticks(2, 1, 5); }, ErrorKind::kUsage, {"finite low < high", "[2, 1]"});
  expect_error([] { linear_ticks(NAN, 1, 5); }, ErrorKind::kUsage, {"finite low < high", "nan"});
  expect_error([] { linear_ticks(0, INFINITY, 5); }, ErrorKind::kUsage, {"finite low < high", "inf"});
  expect_error([] { linear_ticks(-1e308, 1e308, 5); }, ErrorKind::kUsage, {"finite low < high"});
}

TEST(LinearTicks, EndOnRangesAtTheLimitOfTheNumbers) {
  EXPECT_LE(linear_ticks(1e17, 1e17 + 32, 5).size(), 5u);
  EXPECT_LE(linear_ticks(0, std::numeric_limits<double>::min(), 5).size(), 5u);
}

TEST(LogTicks, StandAtOneTwoFiveOrAtPowersOfTen) {
  expect_near(log_ticks(7, 600, 9), {10, 20, 50, 100, 200, 500});
  expect_near(log_ticks(1, 1000, 10), {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000});
  expect_near(log_ticks(0.5, 2e5, 9), {1, 10, 100, 1000, 1e4, 1e5});
  expect_near(log_ticks(14, 42, 9), {15, 20, 25, 30, 35, 40});  // 20 alone would say too little
  expect_near(log_ticks(0.02, 0.3, 9), {0.02, 0.05, 0.1, 0.2});
  expect_error([] { log_ticks(0, 10, 9); }, ErrorKind::kUsage, {"finite 0 < low < high", "[0, 10]"});
  expect_error([] { log_ticks(-1, 10, 9); }, ErrorKind::kUsage, {"finite 0 < low < high", "[-1, 10]"});
}

TEST(TickLabel, HasTheDecimalsThatTheWholeAxisNeeds) {
  EXPECT_EQ(tick_label(1, {0.5, 1}), "1.0");
  EXPECT_EQ(tick_label(0, {0, 50, 100}), "0");
  EXPECT_EQ(tick_label(0.1 + 0.2, {0.1, 0.2, 0.1 + 0.2}), "0.3");
  EXPECT_EQ(tick_label(99.25, {99.25, 99.5}), "99.25");
  EXPECT_EQ(tick_label(-2, {-2, 0}), "-2");
  EXPECT_EQ(tick_label(2e9, {1e9, 2e9}), "2e+09");
  EXPECT_EQ(tick_label(2e-9, {1e-9, 2e-9}), "2e-09");
}

// Labels of 10000 and 20000, whose ticks are as far apart as the plot is wide.
int ink_of_labels(int plot_width) {
  Canvas canvas(700, 200);
  const Box plot = {.left = 100, .top = 50, .right = 100.0 + plot_width, .bottom = 100};
  draw_axes(canvas, plot,
            {.scale = AxisScale(10'000, 20'000, plot.left, plot.right), .ticks = {10'000, 20'000}},
            {.scale = AxisScale(0, 1, plot.bottom, plot.top), .ticks = {}});
  return count(canvas, kQuietInk);
}

TEST(DrawAxes, LeavesOutALabelThatWouldTouchTheOneBefore) {
  EXPECT_LT(ink_of_labels(50), ink_of_labels(400) * 6 / 10);
  EXPECT_EQ(ink_of_labels(300), ink_of_labels(400));
}

TEST(AxisScale, MapsItsEndsAndMiddle) {
  const AxisScale linear(10, 20, 300, 100);
  EXPECT_DOUBLE_EQ(linear(10), 300);
  EXPECT_DOUBLE_EQ(linear(15), 200);
  EXPECT_DOUBLE_EQ(linear(20), 100);
  const AxisScale logarithmic(1, 100, 0, 50, Spacing::kLogarithmic);
  EXPECT_DOUBLE_EQ(logarithmic(10), 25);
  EXPECT_DOUBLE_EQ(logarithmic(100), 50);
  expect_error([] { AxisScale(0, 1, 0, 1, Spacing::kLogarithmic); }, ErrorKind::kUsage,
               {"finite 0 < low < high"});
  expect_error([] { AxisScale(1, 1, 0, 1); }, ErrorKind::kUsage, {"finite low < high"});
}

TEST(Widened, KeepsTheMiddleAndASmallestSpan) {
  EXPECT_DOUBLE_EQ(widened(0, 10, 0.1, 1).low, -1);
  EXPECT_DOUBLE_EQ(widened(0, 10, 0.1, 1).high, 11);
  EXPECT_DOUBLE_EQ(widened(5, 5, 0.1, 1).low, 4.5);
  EXPECT_DOUBLE_EQ(widened(5, 5, 0.1, 1).high, 5.5);
}

TEST(Spread, LeavesAloneWhatIsApartAndSeparatesWhatIsNot) {
  expect_near(spread({10, 50, 90}, 20, 0, 100), {10, 50, 90});
  expect_near(spread({50, 52}, 20, 0, 100), {41, 61});
  expect_near(spread({52, 50}, 20, 0, 100), {61, 41});
  expect_near(spread({50, 50, 50}, 20, 0, 100), {30, 50, 70});
  expect_near(spread({2, 3}, 20, 0, 100), {10, 30});  // pushed in at the end
  expect_near(spread({99, 98}, 20, 0, 100), {90, 70});
  expect_near(spread({50, 52, 75}, 20, 0, 100), {39, 59, 79});  // the pair's move makes a third one move
  EXPECT_TRUE(spread({}, 20, 0, 100).empty());
}

}  // namespace
}  // namespace qlimit
