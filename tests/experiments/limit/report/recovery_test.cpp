#include "experiments/limit/report/recovery.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/experiments/limit/report/made_up_study.h"

namespace qlimit {
namespace {

constexpr BitWidths kFour = {4, 4};

BySeed share(const StudySummary& summary, const std::string& method, size_t group = 0) {
  return recovered_share(summary, "plain", size_groups()[group], method, kFour);
}

TEST(Baseline, HasTheSameScales) {
  EXPECT_EQ(baseline_of("mse"), "min_max");
  EXPECT_EQ(baseline_of("equalize_bias_tensor"), "min_max_tensor");
  EXPECT_EQ(baseline_of("min_max"), "min_max_tensor");
  EXPECT_EQ(baseline_of("min_max_tensor"), "");
  EXPECT_EQ(baseline_of("anything_new"), "min_max");
}

TEST(SizeGroups, HoldEachNetOnce) {
  for (const int64_t parameters : {1, 790, 4999, 5000, 10474, 29999, 30000, 356554}) {
    const NetSize net = {.shape = "plain", .width = 1, .parameters = parameters};
    size_t holding = 0;
    for (const SizeGroup& group : size_groups()) holding += group.holds(net);
    EXPECT_EQ(holding, 1u) << parameters;
    EXPECT_TRUE(size_groups()[size_group_of(net)].holds(net));
  }
  EXPECT_EQ(size_group_of({.shape = "plain", .width = 8, .parameters = 10474}), 1u);
}

// Two nets lose 10 and 30 points; the remedy leaves 4 and 6 of them: 1 - 10/40, not the mean of 60 % and 80
// %.
TEST(RecoveredShare, IsOfTheSumOverTheGroup) {
  const StudySummary summary = summary_of(
      {trained("plain/w2/s1", 790, 500), quantized("plain/w2/s1/min_max", R"("4/4":400)"),
       quantized("plain/w2/s1/mse", R"("4/4":460)"), trained("plain/w3/s1", 1639, 600),
       quantized("plain/w3/s1/min_max", R"("4/4":300)"), quantized("plain/w3/s1/mse", R"("4/4":540)"),
       trained("plain/w8/s1", 10474, 700), quantized("plain/w8/s1/min_max", R"("4/4":600)"),
       quantized("plain/w8/s1/mse", R"("4/4":550)")});
  EXPECT_NEAR(share(summary, "mse").at(1), 75, 1e-9);
  EXPECT_NEAR(share(summary, "mse", 1).at(1), -50, 1e-9);  // harm
  EXPECT_TRUE(share(summary, "mse", 2).empty());
  EXPECT_TRUE(share(summary, "entropy").empty());
  EXPECT_TRUE(share(summary, "min_max_tensor").empty());
}

TEST(RecoveredShare, IsOfSeedsThatHaveAllNetsOfTheGroup) {
  const StudySummary summary = summary_of(
      {trained("plain/w2/s1", 790, 500), quantized("plain/w2/s1/min_max", R"("4/4":400)"),
       quantized("plain/w2/s1/mse", R"("4/4":450)"), trained("plain/w2/s2", 790, 500),
       quantized("plain/w2/s2/min_max", R"("4/4":400)"), trained("plain/w3/s1", 1639, 600),
       quantized("plain/w3/s1/min_max", R"("4/4":500)"), quantized("plain/w3/s1/mse", R"("4/4":550)"),
       trained("plain/w3/s2", 1639, 600), quantized("plain/w3/s2/mse", R"("4/4":590)")});
  const BySeed found = share(summary, "mse");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found.at(1), 50, 1e-9);
}

TEST(RecoveredShare, OfLessThanAPointThereIsNothingToRecover) {
  const auto with_baseline = [](int correct) {
    return summary_of({trained("plain/w2/s1", 790, 500), quantized("plain/w2/s1/mse", R"("4/4":495)"),
                       quantized("plain/w2/s1/min_max", concat(R"("4/4":)", correct))});
  };
  EXPECT_EQ(share(with_baseline(490), "mse").size(), 1u);
  EXPECT_TRUE(share(with_baseline(491), "mse").empty());
}

}  // namespace
}  // namespace qlimit
