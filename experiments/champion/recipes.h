// The recipes of the champions: how to train the best int8 model that we know of at each size.
//
//   recipe      data       parameters         int8 accuracy aimed at
//   micro       CIFAR-10   at most 10,500     84 %
//   mnist       MNIST      at most 7,999      99.4 %
//   standard    CIFAR-10   353,802            92 %
//
// Trials (`champion micro --trial`) are for choosing what a recipe says: they hold out a part of the training
// images and never see the test images. Those that chose micro's net, with --epochs 8 --batch-size 64
// --average-decay 0.99 and one seed, so that half a point may be luck; int8 accuracy:
//
//   C24 D32 P R32 R32 P D48 R48               75.8 %
//   C16 D24 P D32 R32 R32 P D48 R48           75.2 %; 75.8 % with batches of 32
//   C16 D24 P D32 R32 P R32 R32 D64           74.6 %
//   C16 D24 R24 P R24 R24 R24 P D48 R48       74.0 %
//   C16 D24 P D32 R32 R32 R32 P R32 R32       72.3 %
//
// Wide first and last layers are worth more than deep middles. A teacher is left out of micro's recipe
// because of time: it has to be trained first, and its answers cost as much as the student's steps. What the
// recipe's epochs are worth, in int8 on the test images, means of three seeds (the first with AVX2):
//
//   champion micro --epochs 80 --quantized-epochs 0      83.55 %
//   champion micro --quantized-epochs 0                  84.18 %
//   champion micro                                       84.37 %
//
// standard is the net of experiments/standard_cifar. Three seeds of its epochs take about four hours on two
// cores with AVX-512 and VNNI. What they are worth, in int8 on the test images:
//
//   champion standard --epochs 40        91.31 %, one seed, with AVX2
//   champion standard                    91.80 %, mean of three seeds
//
// Trials with --epochs 8 and one seed, int8 accuracy on held-out images:
//
//   standard                                                                     85.4 %
//   C48 P C64 C64 P C96 C96 R96 P C128 R128                                      85.1 %
//   C48 P C64 C64 P C96 C96 P C144                                               85.0 %
//   standard    --optimizer sgd --learning-rate 0.1 --weight-decay 0.0005        84.8 %
//
// Half a point may be luck, so none is better after so few epochs; the third trains 1.2 times as fast.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/train.h"
#include "layers/distillation.h"
#include "layers/sequential.h"

namespace qlimit {

struct ChampionRecipe {
  std::string name;     // of the recipe and its folder
  std::string dataset;  // as load_dataset knows it
  std::string net;      // as experiments/champion/nets.h writes it
  int64_t most_parameters = 0;
  double aim = 0;                     // accuracy in int8, in [0,1]
  TrainingSettings training = {};     // with the first seed
  int64_t seeds = 3;                  // counted up from the first
  double average_decay = 0;           // of the weights that are kept (optim/weight_average.h)
  std::string teacher = {};           // the recipe whose model can teach; empty: none
  DistillationOptions teaching = {};  // with a share of 0, labels alone teach
  int64_t quantized_epochs = 0;       // more of them, in training with quantization; 0: quantized afterwards
  double quantized_learning_rate = 1e-3;  // its highest
  std::string calibration = "min_max";    // of the activations' ranges, as --calibration names them elsewhere
  int64_t calibration_images = 1000;
};

const std::vector<ChampionRecipe>& champion_recipes();
/// Throws kUsage for a name that none has.
const ChampionRecipe& champion_recipe(std::string_view name);

/// Whether a teacher is needed.
bool is_taught(const ChampionRecipe& recipe);

/// The net with new weights, for the images of the recipe's data set. Throws kUsage as make_net does.
std::unique_ptr<Sequential> make_model(const ChampionRecipe& recipe, Random& random);

/// All that decides about a recipe's models but the seed, by name.
SettingsList describe(const ChampionRecipe& recipe);

}  // namespace qlimit
