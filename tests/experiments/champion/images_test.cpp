#include "experiments/champion/images.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "data/location.h"

namespace qlimit {
namespace {

using Pixels = std::string;

std::multiset<Pixels> pixels_of(const Dataset& data) {
  const int64_t size = data.images.size() / data.size();
  std::multiset<Pixels> all;
  for (int64_t n = 0; n < data.size(); ++n)
    all.emplace(reinterpret_cast<const char*>(data.images.data()) + n * size, size);
  return all;
}

TEST(ChampionImages, ATrialHoldsOutTrainingImagesAndHasNoTestImages) {
  const ChampionRecipe& recipe = champion_recipe("mnist");
  const DatasetPair all = load_dataset("mnist", "tiny");
  const ChampionImages final = load_champion_images(recipe, "tiny", false);
  EXPECT_EQ(pixels_of(final.train), pixels_of(all.train));
  EXPECT_EQ(pixels_of(final.judges), pixels_of(all.test));

  const ChampionImages trial = load_champion_images(recipe, "tiny", true);
  EXPECT_EQ(trial.judges.size(), all.train.size() / 10);
  std::multiset<Pixels> together = pixels_of(trial.train);
  together.merge(pixels_of(trial.judges));
  EXPECT_EQ(together, pixels_of(all.train));
  EXPECT_EQ(pixels_of(trial.judges), pixels_of(load_champion_images(recipe, "tiny", true).judges));
}

TEST(ChampionImages, TinyDigitsLookLikeCifar10WhereTheyHaveTo) {
  const Dataset digits = load_dataset("mnist", "tiny").train;
  const Dataset made = load_champion_images(champion_recipe("micro"), "tiny", false).train;
  ASSERT_EQ(made.images.shape(), Shape({digits.size(), 32, 32, 3}));
  EXPECT_EQ(made.labels, digits.labels);
  for (int64_t n : {int64_t{0}, digits.size() - 1}) {
    for (int64_t y = 0; y < 32; ++y) {
      for (int64_t x = 0; x < 32; ++x) {
        const bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
        for (int64_t c = 0; c < 3; ++c)
          ASSERT_EQ(made.images(n, y, x, c), inside ? digits.images(n, y - 2, x - 2, 0) : 0);
      }
    }
  }
}

}  // namespace
}  // namespace qlimit
