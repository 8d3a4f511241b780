#include "experiments/limit/report/estimate.h"

#include <gtest/gtest.h>

namespace qlimit {
namespace {

// By hand: mean 0.17, squares 0.0016 + 0.0025 + 0.0001 = 0.0042, s = 0.045826, t(2) = 4.303: 0.11385.
TEST(Estimate, MeanAndIntervalOfThreeSeeds) {
  const auto drop = estimate(BySeed{{1, 0.21}, {2, 0.12}, {5, 0.18}});
  ASSERT_TRUE(drop && drop->interval);
  EXPECT_NEAR(drop->mean, 0.17, 1e-12);
  EXPECT_NEAR(drop->interval->low, 0.17 - 0.11385, 1e-4);
  EXPECT_NEAR(drop->interval->high, 0.17 + 0.11385, 1e-4);
  EXPECT_EQ(drop->count, 3u);
  EXPECT_EQ(to_text(drop), "0.17 (0.06 ... 0.28)");
  EXPECT_EQ(to_text(drop, 0), "0 (0 ... 0)");
}

TEST(Estimate, OneValueHasNoIntervalAndNoneNoMean) {
  const auto one = estimate(BySeed{{3, -1.5}});
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->interval.has_value());
  EXPECT_EQ(to_text(one), "-1.50");
  EXPECT_FALSE(estimate(BySeed{}).has_value());
  EXPECT_EQ(to_text(estimate(BySeed{})), "");
}

TEST(Estimate, ZeroHasNoSign) {
  EXPECT_EQ(to_text(-0.004, 2), "0.00");
  EXPECT_EQ(to_text(-0.006, 2), "-0.01");
  EXPECT_EQ(to_text(-0.4, 0), "0");
}

// What pairing is for: accuracies differ by ten points between seeds, the drop hardly.
TEST(PairedDifference, IsOfTheSeedsThatBothHave) {
  const BySeed fp32 = {{1, 70}, {2, 80}, {4, 75}}, integers = {{1, 69}, {2, 79.2}, {3, 50}};
  const BySeed drop = paired_difference(fp32, integers);
  ASSERT_EQ(drop.size(), 2u);
  EXPECT_DOUBLE_EQ(drop.at(1), 1);
  EXPECT_NEAR(drop.at(2), 0.8, 1e-12);
  EXPECT_LT(estimate(drop)->interval->high, 3);
}

TEST(Sum, IsOfTheSeedsThatAllHave) {
  EXPECT_EQ(sum({{{1, 2}, {2, 3}}, {{2, 10}, {3, 20}}}), (BySeed{{2, 13}}));
  EXPECT_EQ(sum({{{1, 2}}}), (BySeed{{1, 2}}));
  EXPECT_TRUE(sum({{{1, 2}}, {}}).empty());
  EXPECT_TRUE(sum({}).empty());
}

TEST(FewestValues, EmptyCellsDoNotCount) {
  FewestValues fewest;
  EXPECT_TRUE(fewest.none());
  for (const size_t count : {0, 5, 3, 0, 4}) fewest.add(count);
  EXPECT_EQ(fewest.text(), "3");
}

}  // namespace
}  // namespace qlimit
