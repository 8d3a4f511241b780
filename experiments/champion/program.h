// The program champion: which recipe, changed in what, and where the results are.
//
//   champion micro             three seeds on all training images; the test images judge each once
//   champion micro --trial     one seed; images held out of the training set judge after each epoch
//
// Results lie in results/champion/micro (or micro_trial):
//
//   recipe.txt                 the settings; a folder of others is refused
//   seed_42/                   experiments/champion/seed_run.h
//   model_int8.tflite          of the first seed
//   result.json                of all seeds (experiments/champion/report.h)
//
// A program that is started again goes on where it stopped: done seeds are kept, a training goes on after its
// last epoch, with the same bits. Several of one folder share the seeds: each does those that no other is at,
// then waits for the others', so that all end with the same table.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "experiments/champion/recipes.h"

namespace qlimit {

struct ChampionOptions {
  std::string recipe = "micro";
  bool trial = false;
  std::string data = {};               // as of the other experiments
  std::filesystem::path output = {};   // empty: results/champion
  std::filesystem::path teacher = {};  // a .tflite file; empty: that of the teacher's recipe
  bool quiet = false;
  int threads = 0;  // 0: one a processor

  // In place of what the recipe says
  std::optional<int64_t> seeds = {};
  std::optional<std::string> net = {};
  std::optional<int64_t> epochs = {};
  std::optional<int64_t> batch_size = {};
  std::optional<std::string> optimizer = {};
  std::optional<double> learning_rate = {};
  std::optional<double> weight_decay = {};
  std::optional<int64_t> cutout = {};
  std::optional<double> average_decay = {};
  std::optional<int64_t> quantized_epochs = {};
  std::optional<double> quantized_learning_rate = {};
  std::optional<double> temperature = {};
  std::optional<double> teacher_share = {};
};

/// Reads the arguments (without the program's name). Prints the help to `out` and returns nothing if it is
/// asked for. Throws kUsage, in one line, for what it does not understand.
std::optional<ChampionOptions> parse_champion_options(const std::vector<std::string>& arguments,
                                                      std::ostream& out);

/// The recipe with what the options change: a trial has one seed, the tiny images two epochs, unless they
/// say otherwise. Throws kUsage for an option about teachers if the recipe has none or its
/// share is 0, and for a learning rate with quantization if no epoch has it.
ChampionRecipe chosen_recipe(const ChampionOptions& options);

}  // namespace qlimit
