#include "experiments/champion/report.h"

#include <gtest/gtest.h>

namespace qlimit {
namespace {

std::vector<SeedResult> results(const std::vector<int64_t>& int8_correct) {
  std::vector<SeedResult> all;
  for (size_t i = 0; i < int8_correct.size(); ++i) {
    all.push_back({.seed = 42 + i,
                   .parameters = 10'450,
                   .multiply_adds = 2'000'000,
                   .images = 1000,
                   .fp32_correct = int8_correct[i] + 2,
                   .int8_correct = int8_correct[i],
                   .model_bytes = 19'000,
                   .seconds = 60});
  }
  return all;
}

// 84, 85 and 86 %: mean 85, deviation 1 point, Student's quantile for two degrees of freedom 4.303.
TEST(ChampionReport, MeanAndIntervalOverSeeds) {
  const ChampionRecipe& recipe = champion_recipe("micro");
  const auto json = champion_json(recipe, {{"epochs", "7"}}, results({840, 850, 860}));
  EXPECT_NEAR(json["int8"]["mean"].get<double>(), 0.85, 1e-12);
  EXPECT_NEAR(json["fp32"]["mean"].get<double>(), 0.852, 1e-12);
  EXPECT_NEAR(json["int8"]["interval_95"][0].get<double>(), 0.85 - 4.303 * 0.01 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(json["int8"]["interval_95"][1].get<double>(), 0.85 + 4.303 * 0.01 / std::sqrt(3.0), 1e-5);
  EXPECT_EQ(json["reached"], true);
  EXPECT_EQ(json["settings"]["epochs"], "7");
  ASSERT_EQ(json["seeds"].size(), 3u);
  EXPECT_EQ(json["seeds"][1]["seed"], 43);

  const std::string table = champion_table(recipe, results({840, 850, 860}));
  for (const char* part : {"85.20 %              85.00 %", "mean", "95 % interval", "82.52 % ... 87.48 %",
                           "10,450 parameters of at most 10,500", "84.00 % in int8, reached"})
    EXPECT_NE(table.find(part), std::string::npos) << part << " in\n" << table;
}

TEST(ChampionReport, OneSeedHasNoInterval) {
  const ChampionRecipe& recipe = champion_recipe("micro");
  EXPECT_FALSE(champion_json(recipe, {}, results({839}))["int8"].contains("interval_95"));
  EXPECT_EQ(champion_json(recipe, {}, results({839}))["reached"], false);
  const std::string table = champion_table(recipe, results({839}));
  EXPECT_EQ(table.find("interval"), std::string::npos) << table;
  EXPECT_NE(table.find("84.00 % in int8, not reached"), std::string::npos) << table;
}

}  // namespace
}  // namespace qlimit
