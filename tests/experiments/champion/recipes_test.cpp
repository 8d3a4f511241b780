#include "experiments/champion/recipes.h"

#include <gtest/gtest.h>

#include <map>

#include "layers/summary.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Summary summary_of(const ChampionRecipe& recipe) {
  Random random(1, "test");
  const Shape image = recipe.dataset == "mnist" ? Shape({1, 28, 28, 1}) : Shape({1, 32, 32, 3});
  return summarize(*make_model(recipe, random), image);
}

// A depthwise 3x3 and a 1x1 convolution, each with two numbers of batch norm a channel.
int64_t separable(int64_t in, int64_t out) { return 9 * in + 2 * in + in * out + 2 * out; }

TEST(ChampionRecipes, HaveTheParametersThatTheirNetsSay) {
  EXPECT_EQ(summary_of(champion_recipe("micro")).parameters, (3 * 9 * 24 + 48) + separable(24, 32) +
                                                                 2 * separable(32, 32) + separable(32, 48) +
                                                                 separable(48, 48) + (480 + 10));
  EXPECT_EQ(summary_of(champion_recipe("mnist")).parameters,
            (9 * 8 + 16) + separable(8, 16) + separable(16, 24) + 2 * separable(24, 24) + separable(24, 32) +
                2 * separable(32, 32) + (320 + 10));
}

TEST(ChampionRecipes, KeepToTheirLimits) {
  const std::map<std::string, std::pair<int64_t, double>> required = {
      {"micro", {10'500, 0.84}}, {"mnist", {7'999, 0.994}}, {"standard", {353'802, 0.92}}};
  ASSERT_EQ(champion_recipes().size(), required.size());
  for (const ChampionRecipe& recipe : champion_recipes()) {
    const auto& [most, aim] = required.at(recipe.name);
    EXPECT_EQ(recipe.most_parameters, most) << recipe.name;
    EXPECT_EQ(recipe.aim, aim) << recipe.name;
    const Summary net = summary_of(recipe);
    EXPECT_LE(net.parameters, most) << recipe.name;
    EXPECT_EQ(net.rows.back().output, Shape({1, 10})) << recipe.name;
    EXPECT_GE(recipe.seeds, 3) << recipe.name;
  }
  // Two cores have four hours.
  EXPECT_LE(summary_of(champion_recipe("micro")).multiply_adds, 3'000'000);
}

TEST(ChampionRecipes, OnlyLabelsAreSmoothed) {
  for (const ChampionRecipe& recipe : champion_recipes()) {
    if (recipe.teacher.empty()) continue;
    EXPECT_EQ(recipe.training.label_smoothing, 0) << "distillation takes labels as they are";
    const ChampionRecipe& teacher = champion_recipe(recipe.teacher);
    EXPECT_TRUE(teacher.teacher.empty());
    EXPECT_EQ(teacher.dataset, recipe.dataset);
  }
}

TEST(ChampionRecipes, UnknownNamesAreRefused) {
  expect_error([] { champion_recipe("tiny"); }, ErrorKind::kUsage, {"micro, mnist or standard", "tiny"});
}

// Whatever changes the trained model changes the description.
TEST(ChampionRecipes, DescriptionsSayAllThatDecides) {
  ChampionRecipe micro = champion_recipe("micro");
  micro.teaching.teacher_share = 0.9;
  std::vector<ChampionRecipe> others(11, micro);
  others[0].training.epochs += 1;
  others[1].training.learning_rate *= 2;
  others[2].training.augmentation.cutout += 1;
  others[3].average_decay = 0.5;
  others[4].teacher = "";
  others[5].teaching.temperature += 1;
  others[6].teaching.teacher_share /= 2;
  others[7].calibration = "entropy";
  others[8].calibration_images += 1;
  others[9].net = "C24 D32 P D32 R32 P D48 R48";  // the same shapes of weights
  others[10].quantized_epochs += 1;
  for (size_t i = 0; i < others.size(); ++i) EXPECT_NE(describe(micro), describe(others[i])) << i;
  ChampionRecipe reseeded = micro;  // seeds are counted beside the recipe
  reseeded.training.seed += 1;
  reseeded.seeds += 1;
  EXPECT_EQ(describe(micro), describe(reseeded));
}

}  // namespace
}  // namespace qlimit
