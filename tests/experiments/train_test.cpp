#include "experiments/train.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/archive.h"
#include "core/parallel.h"
#include "experiments/quantization.h"
#include "layers/softmax_cross_entropy.h"
#include "layers/state.h"
#include "optim/state.h"
#include "tests/experiments/small_data.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr TrainingSettings kShort{.epochs = 2, .batch_size = 16, .augmentation = {.pad = 2, .flip = true}};

// Weights, running statistics and the optimizer's memory.
std::vector<uint8_t> state_of(SmallTraining& small) {
  Archive archive;
  save_state(*small.model, archive);
  save_state(small.training.optimizer(), archive);
  return archive.to_bytes();
}

struct Trained {
  std::vector<uint8_t> state;
  std::string int8_model;
};

Trained train_with(int threads, std::unique_ptr<Sequential> (*make_model)(Random&), const Dataset& data,
                   TrainingSettings settings) {
  set_thread_count(threads);
  SmallTraining small(make_model, data, settings);
  small.run();
  const Options options{.calibration_images = 24};
  const CompiledModels compiled = compile(*small.model, data, channel_statistics(data), options);
  return {state_of(small), compiled.int8_fingerprint};
}

void expect_same_for_any_number_of_threads(std::unique_ptr<Sequential> (*make_model)(Random&),
                                           const Dataset& data, const TrainingSettings& settings) {
  const int before = thread_count();
  const Trained one = train_with(1, make_model, data, settings);
  for (int threads : {2, 4}) {
    const Trained several = train_with(threads, make_model, data, settings);
    EXPECT_TRUE(one.state == several.state) << threads << " threads";
    EXPECT_TRUE(one.int8_model == several.int8_model) << threads << " threads";
  }
  TrainingSettings other = settings;
  other.seed += 1;
  const Trained another = train_with(2, make_model, data, other);
  EXPECT_FALSE(one.state == another.state);
  EXPECT_FALSE(one.int8_model == another.int8_model);
  set_thread_count(before);
}

TEST(Reproducible, MnistModelOnOneTwoAndFourThreads) {
  expect_same_for_any_number_of_threads(mnist_model, striped_images(100, 28, 1), kShort);
}

TEST(Reproducible, MicroModelOnOneTwoAndFourThreads) {
  expect_same_for_any_number_of_threads(micro_cifar_model, striped_images(100, 32, 3), kShort);
}

TEST(Reproducible, StandardModelOnOneTwoAndFourThreads) {
  TrainingSettings settings = kShort;
  settings.epochs = 1;
  expect_same_for_any_number_of_threads(standard_cifar_model, striped_images(40, 32, 3), settings);
}

TEST(Training, LearnsEasyImagesWithEveryOptimizerAndSchedule) {
  const Dataset data = striped_images(200, 28, 1);
  struct Choice {
    const char *optimizer, *schedule;
    double rate;
  };
  for (const Choice& choice : {Choice{"adamw", "one-cycle", 0.01}, Choice{"adam", "cosine", 0.003},
                               Choice{"sgd", "step", 0.05}, Choice{"sgd", "constant", 0.05}}) {
    SmallTraining small(mnist_model, data,
                        {.epochs = 4,
                         .batch_size = 20,
                         .optimizer = choice.optimizer,
                         .learning_rate = choice.rate,
                         .schedule = choice.schedule});
    small.run();
    const EpochRecord& first = small.training.history().front();
    const EpochRecord& last = small.training.history().back();
    EXPECT_LT(last.train_loss, first.train_loss) << choice.optimizer;
    EXPECT_GT(last.train_accuracy, 0.9) << choice.optimizer << " " << choice.schedule;
    EXPECT_TRUE(small.training.finished());
    EXPECT_EQ(small.training.optimizer().steps(), 40);
  }
}

TEST(Training, FirstLossIsThatOfAGuess) {
  SmallTraining small(mnist_model, striped_images(200, 28, 1), {.batch_size = 200, .schedule = "constant"});
  small.run();  // one step: the loss is that of the first weights
  EXPECT_NEAR(small.training.history().front().train_loss, std::log(10), 1.5);
}

TEST(Training, ALossThatIsNotFiniteStopsWithPlaceAndCause) {
  SmallTraining small(mnist_model, striped_images(100, 28, 1),
                      {.epochs = 3, .batch_size = 20, .learning_rate = 1e12});
  expect_error(
      [&] { small.run(); }, ErrorKind::kNumeric,
      {"diverged", "epoch 1, step ", "expected a finite loss", "learning rate", "1e+12", "--learning-rate"});
}

TEST(Training, ABrokenWeightIsNamed) {
  SmallTraining small(micro_cifar_model, striped_images(40, 32, 3), {.epochs = 2, .batch_size = 20});
  small.run(1);
  for (const Parameter& parameter : small.model->parameters()) {
    Tensor<Real> value = parameter.variable.value();
    if (parameter.name == "4.weight") value[0] = std::nanf("");
  }
  expect_error([&] { small.run(); }, ErrorKind::kNumeric, {"epoch 2, step 1", "not finite: 4.weight"});
}

TEST(Training, HooksReplaceTheLossAndFollowEachStep) {
  const Dataset data = striped_images(60, 28, 1);
  const TrainingSettings settings{.epochs = 2, .batch_size = 20};
  SmallTraining usual(mnist_model, data, settings);
  usual.run();

  Random weights(settings.seed, "weights");
  const auto model = mnist_model(weights);
  std::vector<int64_t> steps;
  Training* hooked = nullptr;
  const TrainingHooks hooks{
      .loss = [](const Variable& logits,
                 const Batch& batch) { return softmax_cross_entropy(logits, batch.labels); },
      .after_step = [&] { steps.push_back(hooked->optimizer().steps()); },
      .settings = {{"loss", "of one's own"}}};
  Training training(*model, data, channel_statistics(data), settings, hooks);
  hooked = &training;
  Progress silent(stdout, ProgressStyle::kQuiet, 2, training.images_per_epoch());
  while (!training.finished()) {
    silent.begin_epoch(training.epochs_done() + 1);
    training.end_epoch(training.run_epoch(silent));
  }
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  for (size_t i = 0; i < 2; ++i)  // the same loss, so the same training
    EXPECT_EQ(training.history()[i].train_loss, usual.training.history()[i].train_loss);
  const SettingsList identity = training.identity();
  EXPECT_NE(std::find(identity.begin(), identity.end(), hooks.settings.front()), identity.end());
}

TEST(Training, ALossThatIgnoresTheModelTrainsNothing) {
  const Dataset data = striped_images(20, 28, 1);
  Random weights(1, "weights");
  const auto model = mnist_model(weights);
  const TrainingHooks hooks{
      .loss = [](const Variable&, const Batch&) { return Variable::constant(Tensor<Real>::full({}, 1)); }};
  Training training(*model, data, channel_statistics(data), {.batch_size = 20}, hooks);
  Progress silent(stdout, ProgressStyle::kQuiet, 1, training.images_per_epoch());
  silent.begin_epoch(1);
  expect_error([&] { training.run_epoch(silent); }, ErrorKind::kUsage, {});
}

TEST(Training, UnknownNamesAreRefused) {
  const Dataset data = striped_images(20, 28, 1);
  expect_error([&] { SmallTraining(mnist_model, data, {.optimizer = "lion"}); }, ErrorKind::kUsage,
               {"lion", "adamw"});
  expect_error([&] { SmallTraining(mnist_model, data, {.schedule = "linear"}); }, ErrorKind::kUsage,
               {"linear", "one-cycle"});
}

TEST(PredictedClasses, TakesTheFirstOfTheLargest) {
  const Tensor<float> logits({3, 4}, {0, 2, 1, 2, -5, -7, -5, -6, 1, 1, 1, 9});
  EXPECT_EQ(predicted_classes(logits), (std::vector<uint8_t>{1, 0, 3}));
}

}  // namespace
}  // namespace qlimit
