#include "experiments/limit/report/breaking_point.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/experiments/limit/report/made_up_study.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Drops = std::map<int, std::vector<double>>;

// Five seeds around a mean: s = 0.158, so both bounds are 2.132 * 0.158 / sqrt(5) = 0.151 away.
std::vector<double> around(double mean) { return {mean - 0.1, mean + 0.1, mean, mean - 0.2, mean + 0.2}; }

std::string text(const Drops& drops) { return to_text(breaking_point(drops)); }

TEST(Bounds, AreOneSided) {
  EXPECT_TRUE(surely_exceeds(around(1.16)));
  EXPECT_FALSE(surely_exceeds(around(1.14)));  // the two-sided interval, 0.196 away, would not decide either
  EXPECT_TRUE(possibly_exceeds(around(0.86)));
  EXPECT_FALSE(possibly_exceeds(around(0.84)));
  EXPECT_TRUE(surely_exceeds({2, 2}));
  EXPECT_FALSE(surely_exceeds({1, 1}));  // exactly a point is not more than one
  expect_error([] { surely_exceeds({5}); }, ErrorKind::kUsage, {"at least two values"});
}

TEST(BreakingPoint, IsTheLargestWidthThatSurelyBreaks) {
  const Drops drops = {{8, around(0.1)}, {6, around(0.5)}, {5, around(1.5)}, {4, around(9)}, {3, around(30)}};
  const auto point = breaking_point(drops);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->surely, 5);
  EXPECT_EQ(point->possibly, 5);
  EXPECT_EQ(point->narrowest, 3);
  EXPECT_EQ(point->widest, 8);
  EXPECT_EQ(point->seeds, 5u);
  EXPECT_EQ(to_text(point), "5");
}

TEST(BreakingPoint, ItsIntervalReachesToTheLargestWidthThatMayBreak) {
  EXPECT_EQ(text({{8, around(0.1)}, {7, around(0.9)}, {6, around(1.1)}, {5, around(3)}, {4, around(9)}}),
            "5 ... 7");
}

TEST(BreakingPoint, WhereNoWidthBreaksItLiesBelow) {
  EXPECT_EQ(text({{8, around(0)}, {4, around(0.2)}, {2, around(0.5)}}), "below 2");
  EXPECT_EQ(text({{8, around(0)}, {4, around(0.2)}, {3, around(1)}}), "below 3 ... 3");
}

TEST(BreakingPoint, TheWidestMeasuredOneMayNotBeTheLimit) {
  EXPECT_EQ(text({{6, around(4)}, {5, around(9)}}), "6 or more");
  EXPECT_EQ(text({{6, around(1)}, {5, around(9)}}), "5 ... 6 or more");
  EXPECT_EQ(text({{8, around(4)}, {5, around(9)}}), "8");
}

// A narrower width that does better, by chance, does not hide the wider one that breaks.
TEST(BreakingPoint, LossesNeedNotRiseSteadily) {
  EXPECT_EQ(text({{8, around(0)}, {6, around(2)}, {5, around(0.2)}, {4, around(3)}}), "6");
}

TEST(BreakingPoint, TwoSeedsProveLess) {
  EXPECT_EQ(text({{8, {0.1, 0.2}}, {4, {3, 4}}, {2, {30, 40}}}), "2 ... 4");  // t = 6.31
  EXPECT_EQ(breaking_point({{8, around(0)}, {4, {9, 9}}})->seeds, 2u);
}

TEST(BreakingPoint, WidthsWithOneSeedDoNotCount) {
  EXPECT_EQ(text({{8, around(0)}, {4, {50}}}), "below 8");
  EXPECT_FALSE(breaking_point({{8, {0.1}}, {4, {50}}, {2, {}}}).has_value());
  EXPECT_EQ(text({}), "");
}

TEST(Ladder, NarrowsBothOrOne) {
  EXPECT_EQ(ladder_widths(Ladder::kBoth, 4), (BitWidths{4, 4}));
  EXPECT_EQ(ladder_widths(Ladder::kWeights, 4), (BitWidths{4, 8}));
  EXPECT_EQ(ladder_widths(Ladder::kActivations, 4), (BitWidths{8, 4}));
}

TEST(Ladder, NeedsTwoWidthsBelowEight) {
  const StudySummary summary =
      summary_of({trained("plain/w8/s1", 10474, 700), trained("plain/w8/s2", 10474, 710),
                  quantized("plain/w8/s1/bias", R"("8/8":699,"6/8":690,"4/8":600,"4/4":500)"),
                  quantized("plain/w8/s2/bias", R"("8/8":709,"6/8":700,"4/8":600,"4/4":510)")});
  EXPECT_TRUE(has_ladder(summary, "bias", Ladder::kWeights));
  EXPECT_FALSE(has_ladder(summary, "bias", Ladder::kBoth));
  EXPECT_FALSE(has_ladder(summary, "bias", Ladder::kActivations));
  EXPECT_FALSE(has_ladder(summary, "mse", Ladder::kWeights));
  // Drops in points: 0.1, 0.1; 1.0, 1.0; 10, 11 with t = 6.31 and s / sqrt(2) = 0.5.
  EXPECT_EQ(to_text(breaking_point(summary, summary.nets()[0], "bias", Ladder::kWeights)), "4");
}

}  // namespace
}  // namespace qlimit
