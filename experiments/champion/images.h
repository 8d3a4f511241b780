// The images of a champion, in one of two ways:
//
//   final   trains on all training images; the test images judge once, when nothing is left to be decided
//   trial   holds out a part of the training images, the same for all seeds and recipes, which judge as often
//           as one likes; the test images are not used
#pragma once

#include <string>

#include "data/dataset.h"
#include "data/normalize.h"
#include "experiments/champion/recipes.h"

namespace qlimit {

struct ChampionImages {
  Dataset train;
  Dataset judges;  // test images, or those held out
  bool trial = false;
  Normalization normalization;  // of `train`
};

/// 5,000 training images are held out, or a tenth if there are fewer than 50,000. option: what --data said;
/// "tiny" stands for the MNIST images of the sources, as images of 32x32 pixels with three channels where
/// the recipe wants CIFAR-10. Throws what load_dataset throws.
ChampionImages load_champion_images(const ChampionRecipe& recipe, const std::string& option, bool trial);

}  // namespace qlimit
