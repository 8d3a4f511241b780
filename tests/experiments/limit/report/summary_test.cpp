#include "experiments/limit/report/summary.h"

#include <gtest/gtest.h>

#include "tests/experiments/limit/report/made_up_study.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr BitWidths kEight = {8, 8}, kFour = {4, 4};

StudySummary small_study() {
  return summary_of(
      {trained("plain/w8/s1", 10474, 741), trained("plain/w2/s1", 790, 500),
       trained("separable/w4/s1", 1132, 480), trained("plain/w8/s2", 10474, 750),
       quantized("plain/w8/s1/mse", R"("8/8":741,"4/4":650)"),
       quantized("plain/w8/s1/min_max", R"("8/8":740,"4/4":600)", R"(,"bytes":{"8":10712,"4":5692})"),
       quantized("plain/w8/s2/min_max", R"("8/8":751)", R"(,"bytes":{"8":10712})"),
       quantized("plain/w8/s7/min_max", R"("8/8":751)"), quantized("plain/w8/s2/later", R"("4/4":700)"),
       R"({"job":"calibration/plain/w8/s1/mse","correct":{"10":{"8/8":731},"100":{"8/8":740}}})"});
}

TEST(StudySummary, OrdersNetsBySize) {
  const StudySummary summary = small_study();
  EXPECT_EQ(summary.shapes(), (std::vector<std::string>{"plain", "separable"}));
  ASSERT_EQ(summary.nets("plain").size(), 2u);
  EXPECT_EQ(summary.nets("plain")[0].parameters, 790);
  EXPECT_EQ(summary.nets("plain")[1].width, 8);
  EXPECT_EQ(summary.nets().size(), 3u);
  EXPECT_TRUE(summary.nets("round").empty());
  EXPECT_EQ(summary.seeds(), (std::set<uint64_t>{1, 2}));
  EXPECT_EQ(summary.jobs(), 10u);
}

TEST(StudySummary, MethodsStandInTheOrderOfTheStudyUnknownOnesLast) {
  EXPECT_EQ(small_study().methods(), (std::vector<std::string>{"min_max", "mse", "later"}));
}

TEST(StudySummary, AccuraciesAreInPercentAndDropsInPoints) {
  const StudySummary summary = small_study();
  const NetSize net = summary.nets("plain")[1];
  EXPECT_DOUBLE_EQ(summary.fp32(net).at(1), 74.1);
  EXPECT_DOUBLE_EQ(summary.accuracy(net, "min_max", kFour).at(1), 60);
  const BySeed drop = summary.drop(net, "min_max", kEight);
  ASSERT_EQ(drop.size(), 2u);  // seed 7 was never trained
  EXPECT_NEAR(drop.at(1), 0.1, 1e-12);
  EXPECT_NEAR(drop.at(2), -0.1, 1e-12);  // integers may be better
  EXPECT_EQ(summary.points("min_max"), (std::set<BitWidths, std::greater<>>{kEight, kFour}));
}

TEST(StudySummary, WhatIsMissingIsMissing) {
  const StudySummary summary = small_study();
  const NetSize small = summary.nets("plain")[0], net = summary.nets("plain")[1];
  EXPECT_TRUE(summary.drop(small, "min_max", kEight).empty());
  EXPECT_TRUE(summary.drop(net, "entropy", kEight).empty());
  EXPECT_EQ(summary.drop(net, "min_max", kFour).size(), 1u);
  EXPECT_FALSE(summary.bytes(net, "min_max", 5).has_value());
  EXPECT_TRUE(summary.points("entropy").empty());
  EXPECT_TRUE(summary_of({}).nets().empty());
}

TEST(StudySummary, OtherMethodsTakeTheBytesOfTheBaseline) {
  const StudySummary summary = small_study();
  const NetSize net = summary.nets("plain")[1];
  EXPECT_DOUBLE_EQ(*summary.bytes(net, "min_max", 8), 10712);
  EXPECT_DOUBLE_EQ(*summary.bytes(net, "mse", 4), 5692);
  EXPECT_FALSE(summary.bytes(net, "mixed", 4).has_value());
}

TEST(StudySummary, CalibrationSets) {
  const StudySummary summary = small_study();
  const NetSize net = summary.nets("plain")[1];
  EXPECT_EQ(summary.calibration_methods(), (std::vector<std::string>{"mse"}));
  EXPECT_EQ(summary.calibration_sizes(), (std::set<int64_t>{10, 100}));
  EXPECT_EQ(summary.calibration_points().size(), 1u);
  EXPECT_NEAR(summary.calibration_drop(net, "mse", 10, kEight).at(1), 1, 1e-12);
  EXPECT_TRUE(summary.calibration_drop(net, "mse", 30, kEight).empty());
  EXPECT_TRUE(summary.calibration_drop(net, "mse", 10, kFour).empty());
}

TEST(StudySummary, NetsOfOneSizeMustBeAlike) {
  expect_error(
      [] {
        summary_of({trained("plain/w8/s1", 100, 500), trained("plain/w8/s2", 101, 500)});
      },
      ErrorKind::kData, {"differ between seeds", "plain/w8/s2", "100 parameters", "101"});
}

TEST(BitWidthsText, NamesWeightsFirst) { EXPECT_EQ(to_text(BitWidths{4, 8}), "W4A8"); }

}  // namespace
}  // namespace qlimit
