#include "experiments/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

TEST(Proportion, StandardErrorIsThatOfTheBinomial) {
  EXPECT_DOUBLE_EQ(proportion_standard_error(0.5, 100), 0.05);
  EXPECT_NEAR(proportion_standard_error(0.738, 10000), 0.004397,
              1e-6);  // by hand: sqrt(0.738 * 0.262 / 10^4)
  EXPECT_EQ(proportion_standard_error(1, 10), 0);
  expect_error([] { proportion_standard_error(0.5, 0); }, ErrorKind::kUsage, {"at least one trial"});
  expect_error([] { proportion_standard_error(1.01, 10); }, ErrorKind::kUsage, {"outside [0,1]", "1.01"});
  expect_error([] { proportion_standard_error(std::nan(""), 10); }, ErrorKind::kUsage,
               {"outside [0,1]", "nan"});
}

TEST(Moments, MeanAndSampleDeviation) {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};  // squares about the mean 5 sum to 32
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_DOUBLE_EQ(standard_deviation(values), std::sqrt(32.0 / 7));
  expect_error([] { mean({}); }, ErrorKind::kUsage, {"mean of no values"});
  expect_error([] { standard_deviation({1}); }, ErrorKind::kUsage, {"at least two values", "found 1"});
}

// The two-sided 95 % and 99 % columns of the table of Student's distribution (Fisher and Yates, "Statistical
// tables").
TEST(Student, QuantilesAreThoseOfTheTable) {
  struct Row {
    int64_t degrees;
    double t95, t99;
  };
  for (const Row& row :
       {Row{1, 12.706, 63.657}, Row{2, 4.303, 9.925}, Row{3, 3.182, 5.841}, Row{4, 2.776, 4.604},
        Row{5, 2.571, 4.032}, Row{9, 2.262, 3.250}, Row{30, 2.042, 2.750}, Row{120, 1.980, 2.617}}) {
    EXPECT_NEAR(student_quantile(0.975, row.degrees), row.t95, 6e-4) << row.degrees;
    EXPECT_NEAR(student_quantile(0.995, row.degrees), row.t99, 6e-4) << row.degrees;
  }
  EXPECT_NEAR(student_quantile(0.975, 100'000), 1.95996, 1e-4);  // the normal distribution's
  expect_error([] { student_quantile(1, 3); }, ErrorKind::kUsage, {"outside [0.5,1)"});
  expect_error([] { student_quantile(0.9, 0); }, ErrorKind::kUsage, {"one degree of freedom"});
}

TEST(Student, DistributionOfOneAndTwoDegreesHasAClosedForm) {
  for (double t : {-3.0, -0.5, 0.0, 1.0, 4.0}) {
    EXPECT_NEAR(student_cdf(t, 1), 0.5 + std::atan(t) / M_PI, 1e-14);  // Cauchy
    EXPECT_NEAR(student_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-14);
  }
}

TEST(Student, IntervalOfFiveRunsByHand) {
  // mean 73.6; squares 0.04 + 0.36 + 0.16 + 0.09 + 0.01 = 0.66; s = 0.40620; t = 2.776; t * s / sqrt(5) =
  // 0.5044
  const Interval interval = student_interval({73.8, 74.2, 73.2, 73.3, 73.5}, 0.95);
  EXPECT_NEAR(interval.low, 73.6 - 0.5044, 1e-3);
  EXPECT_NEAR(interval.high, 73.6 + 0.5044, 1e-3);
}

// Bentur et al. 2009, as worked in Fagerland, Lydersen and Laake 2013, table 1 and section "Results".
TEST(McNemar, AirwayHyperresponsiveness) {
  const PairedCounts counts{.only_first = 7, .only_second = 1, .total = 21};
  EXPECT_NEAR(mcnemar_exact_p(counts), 0.0703125, 1e-12);  // 2 * (1 + 8) / 2^8
  EXPECT_NEAR(mcnemar_mid_p(counts), 0.0390625, 1e-12);    // less 8 / 2^8
}

// Approval of the prime minister, Agresti 2002, table 10.1: 150 and 86 of 1600 changed their minds. Values of
// the sums in exact rational arithmetic.
TEST(McNemar, ApprovalRatings) {
  const PairedCounts counts{.only_first = 150, .only_second = 86, .total = 1600};
  EXPECT_NEAR(mcnemar_exact_p(counts), 3.715936139571442e-05, 1e-15);
  EXPECT_NEAR(mcnemar_mid_p(counts), 2.8933895176154898e-05, 1e-15);
  EXPECT_DOUBLE_EQ(paired_difference(counts), -0.04);
  EXPECT_NEAR(paired_standard_error(counts), 0.0095, 1e-4);  // Agresti's own figure
}

TEST(McNemar, ManyPairsDoNotOverflow) {
  EXPECT_NEAR(mcnemar_exact_p({.only_first = 1200, .only_second = 1300, .total = 10000}),
              0.047681865221043604, 1e-12);
  EXPECT_NEAR(mcnemar_mid_p({.only_first = 1200, .only_second = 1300, .total = 10000}), 0.04552186640631169,
              1e-12);
}

TEST(McNemar, NoDifferenceIsNoEvidence) {
  EXPECT_EQ(mcnemar_exact_p({.total = 10}), 1);
  EXPECT_EQ(mcnemar_mid_p({.total = 10}), 1);
  EXPECT_EQ(mcnemar_mid_p({.only_first = 40, .only_second = 40, .total = 100}), 1);
  EXPECT_EQ(mcnemar_exact_p({.only_first = 40, .only_second = 40, .total = 100}), 1);
}

TEST(Outcomes, CountsWhatTellsThemApart) {
  const PairedCounts counts = compare_outcomes({1, 1, 0, 0, 1}, {1, 0, 1, 0, 0});
  EXPECT_EQ(counts.only_first, 2);
  EXPECT_EQ(counts.only_second, 1);
  EXPECT_EQ(counts.total, 5);
  EXPECT_DOUBLE_EQ(paired_difference(counts), -0.2);
  expect_error([] { compare_outcomes({1}, {1, 0}); }, ErrorKind::kUsage, {"different lengths"});
}

// Ten people's intelligence quotients and hours before the television in a week: ranks that differ by squares
// summing to 194, so 1 - 6 * 194 / (10 * 99).
TEST(RankCorrelation, WithoutTiesItIsTheSumOfSquaredDifferences) {
  const std::vector<double> quotients = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
  const std::vector<double> hours = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
  EXPECT_NEAR(*rank_correlation(quotients, hours), -29.0 / 165, 1e-12);
  EXPECT_NEAR(*rank_correlation(hours, quotients), -29.0 / 165, 1e-12);
}

TEST(RankCorrelation, EqualValuesShareTheMeanRank) {
  // ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5
  EXPECT_NEAR(*rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5), 1e-12);
  EXPECT_NEAR(*rank_correlation({5, 5, 9}, {-1, -1, 0}), 1, 1e-12);
}

TEST(RankCorrelation, SeesOnlyTheOrder) {
  EXPECT_NEAR(*rank_correlation({1, 2, 3, 1000}, {0.1, 0.2, 7, 8}), 1, 1e-12);
  EXPECT_NEAR(*rank_correlation({1, 2, 3, 1000}, {8, 7, 0.2, 0.1}), -1, 1e-12);
  EXPECT_FALSE(rank_correlation({1, 1, 1}, {1, 2, 3}).has_value());
  EXPECT_FALSE(rank_correlation({1, 2, 3}, {4, 4, 4}).has_value());
  expect_error([] { rank_correlation({1, 2}, {1, 2, 3}); }, ErrorKind::kUsage, {"at least two pairs"});
  expect_error([] { rank_correlation({1}, {1}); }, ErrorKind::kUsage, {"at least two pairs"});
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  const std::vector<double> values = {4, 1, 3, 2};  // definition 7: place p * (n-1) among 1 2 3 4
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
  expect_error([] { quantile({}, 0.5); }, ErrorKind::kUsage, {"quantile of no values"});
  expect_error([&] { quantile(values, -0.1); }, ErrorKind::kUsage, {"outside [0,1]", "-0.1"});
  std::vector<double> hundred_and_one;
  for (int i = 100; i >= 0; --i) hundred_and_one.push_back(i);
  const Spread s = spread(hundred_and_one);
  EXPECT_DOUBLE_EQ(s.low, 5);
  EXPECT_DOUBLE_EQ(s.median, 50);
  EXPECT_DOUBLE_EQ(s.high, 95);
}

}  // namespace
}  // namespace qlimit
