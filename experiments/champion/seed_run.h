// One seed of a champion: from the first random weight to a .tflite file and its accuracy. In a folder:
//
//   checkpoint.qla          after each epoch, with the average of the weights
//   model.qla               the trained model: the average, with batch norm's statistics computed anew
//   quantized_checkpoint.qla    after each epoch with quantization, if the recipe has any
//   model_fp32.tflite, model_int8.tflite
//   result.json             written last; when it is there, the seed is done
//   lock                    held by the process that works in the folder
//
// The stages are functions of their own:
//
//   TrainedChampion trained = train_champion(recipe, images, teacher, seed, folder, style);
//   TrainedIntegers integers = train_integers(*trained.model, recipe, images, teacher, seed, folder, style);
//   CompiledModels compiled = compile_trained(*trained.model, integers.graph);
//
// Without epochs with quantization the last two are one, compile_champion.
#pragma once

#include <filesystem>
#include <memory>

#include "experiments/champion/images.h"
#include "experiments/champion/recipes.h"
#include "experiments/champion/seed_result.h"
#include "experiments/champion/teacher.h"
#include "experiments/quantization.h"

namespace qlimit {

/// A trained model and what its training has cost.
struct TrainedChampion {
  std::unique_ptr<Sequential> model;
  std::vector<EpochRecord> history;
  double seconds = 0;  // of this process
};

/// Trains from the checkpoint in `folder`, if there is one, else from the start; with the teacher, if there
/// is one. In a trial the images held out judge the averaged weights after each epoch; in a final training
/// nothing is judged. Throws kNumeric if it diverges, kData for a checkpoint of another training.
TrainedChampion train_champion(const ChampionRecipe& recipe, const ChampionImages& images,
                               const Teacher* teacher, uint64_t seed, const std::filesystem::path& folder,
                               ProgressStyle style);

/// The same of a training with quantization.
struct TrainedIntegers {
  QuantizedGraph graph;
  double seconds = 0;  // of this process
};

/// The integers of the trained model after recipe.quantized_epochs more epochs in 8 bits (quant/training),
/// with the same teacher and an average of the weights again; the model itself stays as it is. Goes on from a
/// checkpoint of its own, and judges in a trial, as train_champion does. Throws what train_champion throws.
TrainedIntegers train_integers(Layer& model, const ChampionRecipe& recipe, const ChampionImages& images,
                               const Teacher* teacher, uint64_t seed, const std::filesystem::path& folder,
                               ProgressStyle style);

/// The model in float and in int8, as the recipe calibrates it.
CompiledModels compile_champion(Layer& model, const ChampionRecipe& recipe, const ChampionImages& images);

/// All stages; the judges are asked once, at the end. The folder must exist.
SeedResult run_seed(const ChampionRecipe& recipe, const ChampionImages& images, const Teacher* teacher,
                    uint64_t seed, const std::filesystem::path& folder, ProgressStyle style);

}  // namespace qlimit
