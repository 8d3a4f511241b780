#include "experiments/champion/images.h"

#include <algorithm>

#include "data/location.h"

namespace qlimit {
namespace {

constexpr int64_t kMostHeldOut = 5000;
constexpr uint64_t kSplitSeed = 1;

// Grey images in the middle of black ones of 32x32 pixels, with three equal channels.
Dataset like_cifar10(const Dataset& grey) {
  constexpr int64_t kSide = 32, kChannels = 3;
  const int64_t side = grey.images.dim(1), margin = (kSide - side) / 2;
  Dataset result = grey;
  result.images = Tensor<uint8_t>({grey.size(), kSide, kSide, kChannels});
  for (int64_t n = 0; n < grey.size(); ++n)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x)
        for (int64_t c = 0; c < kChannels; ++c)
          result.images(n, y + margin, x + margin, c) = grey.images(n, y, x, 0);
  return result;
}

DatasetPair load_pair(const std::string& dataset, const std::string& option) {
  if (option != "tiny" || dataset == "mnist") return load_dataset(dataset, option);
  const DatasetPair digits = load_dataset("mnist", option);
  return {.train = like_cifar10(digits.train), .test = like_cifar10(digits.test)};
}

}  // namespace

ChampionImages load_champion_images(const ChampionRecipe& recipe, const std::string& option, bool trial) {
  DatasetPair pair = load_pair(recipe.dataset, option);
  if (trial) {
    const int64_t held_out = std::min(kMostHeldOut, pair.train.size() / 10);
    DatasetSplit parts = split(pair.train, held_out, kSplitSeed);
    pair = {.train = std::move(parts.train), .test = std::move(parts.validation)};
  }
  ChampionImages images{.train = pair.train, .judges = pair.test, .trial = trial, .normalization = {}};
  images.normalization = channel_statistics(images.train);
  return images;
}

}  // namespace qlimit
