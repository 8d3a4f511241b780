#include "experiments/champion/seed_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/archive.h"
#include "core/file.h"
#include "experiments/checkpoint.h"
#include "layers/batch_norm_statistics.h"
#include "layers/state.h"
#include "layers/summary.h"
#include "optim/weight_average.h"
#include "quant/trace.h"
#include "quant/training/fake_quantized_model.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

// Of the training images, for the statistics of batch norm.
constexpr int64_t kStatisticsImages = 10'000;
constexpr int64_t kStatisticsBatch = 500;

TrainingSettings with_seed(TrainingSettings settings, uint64_t seed) {
  settings.seed = seed;
  return settings;
}

TrainingHooks hooks_of(const ChampionRecipe& recipe, const Teacher* teacher, WeightAverage& average) {
  TrainingHooks hooks = teacher ? taught_by(*teacher, recipe.teaching) : TrainingHooks{};
  hooks.after_step = [&average] { average.update(); };
  hooks.settings.push_back({"decay of the average", fmt::format("{}", recipe.average_decay)});
  return hooks;
}

// Of images cropped and flipped as those that the weights were made for. The black margin of a crop counts:
// with statistics of whole images, nets of the recipe micro are a point or two worse, on training images,
// too.
void renew_statistics(Layer& model, const ChampionImages& images, const TrainingSettings& settings) {
  Loader loader(take(images.train, kStatisticsImages), {.batch_size = kStatisticsBatch,
                                                        .seed = settings.seed,
                                                        .augmentation = settings.augmentation,
                                                        .normalization = images.normalization});
  loader.start_epoch(0);
  recompute_statistics(model, [&](Tensor<Real>& next) {
    Batch batch;
    if (!loader.next(batch)) return false;
    next = batch.images;
    return true;
  });
}

// An epoch with its checkpoint.
void run_epoch(Training& training, WeightAverage& average, const ChampionImages& images,
               const fs::path& checkpoint, Progress& progress) {
  progress.begin_epoch(training.epochs_done() + 1);
  EpochRecord record = training.run_epoch(progress);
  std::string remark;
  if (images.trial) {
    const AveragedWeights now(average);
    record.evaluation_accuracy =
        evaluate(training_graph(training.model()), images.judges, images.normalization).accuracy;
    remark = fmt::format("  held out {:5.2f} %", 100 * record.evaluation_accuracy);
  }
  training.end_epoch(record);
  save_checkpoint(checkpoint, training, &average);
  progress.end_epoch(
      {.images = training.images_per_epoch(), .loss = record.train_loss, .accuracy = record.train_accuracy},
      remark);
}

// All epochs that the checkpoint does not have yet; returns the seconds they took. The average is the model
// then.
double run_epochs(Training& training, WeightAverage& average, const ChampionImages& images,
                  const fs::path& checkpoint, ProgressStyle style) {
  if (fs::exists(checkpoint)) {
    load_checkpoint(checkpoint, training, &average,
                    "if it is the instruction set, set QLIMIT_ISA; or remove the file to start anew");
  }
  Progress progress(stdout, style, training.settings().epochs, training.images_per_epoch());
  while (!training.finished()) run_epoch(training, average, images, checkpoint, progress);
  average.swap();  // for good
  return progress.seconds();
}

int64_t count_correct(const Engine& engine, const ChampionImages& images) {
  const Evaluation evaluation = evaluate(engine, images.judges, images.normalization);
  return std::count(evaluation.outcomes.begin(), evaluation.outcomes.end(), 1);
}

void save_model(const Layer& model, const fs::path& path) {
  Archive archive;
  save_state(model, archive);
  archive.save(path);
}

}  // namespace

TrainedChampion train_champion(const ChampionRecipe& recipe, const ChampionImages& images,
                               const Teacher* teacher, uint64_t seed, const fs::path& folder,
                               ProgressStyle style) {
  Random weights(seed, "weights");
  std::unique_ptr<Sequential> model = make_model(recipe, weights);
  WeightAverage average(*model, recipe.average_decay);
  const TrainingSettings settings = with_seed(recipe.training, seed);
  Training training(*model, images.train, images.normalization, settings, hooks_of(recipe, teacher, average));
  const double seconds = run_epochs(training, average, images, folder / "checkpoint.qla", style);
  renew_statistics(*model, images, settings);
  model->set_training(false);
  return {.model = std::move(model), .history = training.history(), .seconds = seconds};
}

TrainedIntegers train_integers(Layer& model, const ChampionRecipe& recipe, const ChampionImages& images,
                               const Teacher* teacher, uint64_t seed, const fs::path& folder,
                               ProgressStyle style) {
  const Tensor<float> first = first_images(images.train, images.normalization, recipe.calibration_images);
  FakeQuantizedModel quantized(trace(model, first.shape()), first);
  WeightAverage average(quantized, recipe.average_decay);
  TrainingSettings settings = with_seed(recipe.training, seed);
  settings.epochs = recipe.quantized_epochs;
  settings.learning_rate = recipe.quantized_learning_rate;
  Training training(quantized, images.train, images.normalization, settings,
                    hooks_of(recipe, teacher, average));
  const double seconds = run_epochs(training, average, images, folder / "quantized_checkpoint.qla", style);
  return {.graph = quantized.convert(Runtime::kTflite), .seconds = seconds};
}

CompiledModels compile_champion(Layer& model, const ChampionRecipe& recipe, const ChampionImages& images) {
  Options options;
  options.calibration = recipe.calibration;
  options.calibration_images = recipe.calibration_images;
  return compile(model, images.train, images.normalization, options);
}

SeedResult run_seed(const ChampionRecipe& recipe, const ChampionImages& images, const Teacher* teacher,
                    uint64_t seed, const fs::path& folder, ProgressStyle style) {
  const TrainedChampion trained = train_champion(recipe, images, teacher, seed, folder, style);
  save_model(*trained.model, folder / "model.qla");
  double seconds = trained.seconds;
  const CompiledModels compiled = [&] {
    if (recipe.quantized_epochs == 0) return compile_champion(*trained.model, recipe, images);
    TrainedIntegers integers = train_integers(*trained.model, recipe, images, teacher, seed, folder, style);
    seconds += integers.seconds;
    return compile_trained(*trained.model, std::move(integers.graph));
  }();
  write_file(folder / "model_fp32.tflite", compiled.fp32_export.file.bytes);
  write_file(folder / "model_int8.tflite", compiled.int8_export.file.bytes);
  const Summary summary = summarize(*trained.model, with_batch(images.train.images.shape(), 1));
  const SeedResult result{.seed = seed,
                          .parameters = summary.parameters,
                          .multiply_adds = summary.multiply_adds,
                          .images = images.judges.size(),
                          .fp32_correct = count_correct(compiled.fp32, images),
                          .int8_correct = count_correct(compiled.int8, images),
                          .model_bytes = static_cast<int64_t>(compiled.int8_export.file.bytes.size()),
                          .seconds = seconds};
  write_file(folder / "result.json", to_json(result, trained.history, images.trial).dump(2) + "\n");
  return result;
}

}  // namespace qlimit
