#include "experiments/champion/teacher.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "experiments/blocks.h"
#include "experiments/quantization.h"
#include "layers/dense.h"
#include "layers/global_average_pool.h"
#include "tests/experiments/small_data.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

std::unique_ptr<Sequential> small_model(Random& random) {
  auto model = std::make_unique<Sequential>();
  add_conv_block(*model, 1, 4, /*use_bias=*/false, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(4, 10, /*use_bias=*/true, random);
  return model;
}

Batch batch_of(const Dataset& data) {
  return {.images = first_images(data, channel_statistics(data), data.size()), .labels = data.labels};
}

class ATeacher : public testing::Test {
 protected:
  Dataset data_ = striped_images(60, 12, 1);
  Batch batch_ = batch_of(data_);
};

double loss(const TrainingHooks& hooks, const Tensor<float>& logits, const Batch& batch) {
  return hooks.loss(Variable::parameter(logits.clone()), batch).value()[0];
}

TEST_F(ATeacher, IsImitatedPerfectlyByItself) {
  Random random(1, "weights");
  const auto model = small_model(random);
  const Engine engine = training_graph(*model);
  const TrainingHooks hooks =
      taught_by({.engine = engine, .checksum = "1"}, {.temperature = 3, .teacher_share = 1});
  const Tensor<float> own = engine.run(batch_.images);
  EXPECT_NEAR(loss(hooks, own, batch_), 0, 1e-6);
  Tensor<float> other = own.clone();
  for (int64_t n = 0; n < other.dim(0); ++n) other(n, 3) += 1.0f;
  EXPECT_GT(loss(hooks, other, batch_), 0.01);
}

// The labels are wrong on purpose: only who listens to the teacher learns the stripes.
TEST(Teacher, WithoutLabelsTeachesAllTheSame) {
  const TrainingSettings settings{.epochs = 6, .batch_size = 20};
  const Dataset data = striped_images(200, 28, 1);
  const Normalization normalization = channel_statistics(data);
  SmallTraining schooled(mnist_model, data, settings);
  schooled.run();
  const Engine teacher = training_graph(*schooled.model);

  Dataset mislabelled = data;
  for (uint8_t& label : mislabelled.labels) label = 0;
  Random random(9, "weights");
  const auto student = mnist_model(random);
  Training training(*student, mislabelled, normalization, settings,
                    taught_by({.engine = teacher, .checksum = "1"}, {.temperature = 2, .teacher_share = 1}));
  Progress silent(stdout, ProgressStyle::kQuiet, settings.epochs, training.images_per_epoch());
  while (!training.finished()) {
    silent.begin_epoch(training.epochs_done() + 1);
    training.end_epoch(training.run_epoch(silent));
  }
  EXPECT_LT(training.history().back().train_loss, 0.3 * training.history().front().train_loss);
  const std::vector<uint8_t> taught = evaluate(teacher, data, normalization).predictions;
  const std::vector<uint8_t> learned = evaluate(training_graph(*student), data, normalization).predictions;
  int agreements = 0;
  for (size_t i = 0; i < taught.size(); ++i) agreements += taught[i] == learned[i];
  EXPECT_GT(agreements, 170);
}

TEST_F(ATeacher, ComesFromATfliteFile) {
  const TemporaryFolder folder;
  Random random(1, "weights");
  const auto model = small_model(random);
  model->set_training(false);
  const CompiledModels compiled = compile(*model, data_, channel_statistics(data_), {});
  write_file(folder / "fp32.tflite", compiled.fp32_export.file.bytes);
  write_file(folder / "int8.tflite", compiled.int8_export.file.bytes);
  const Tensor<float> own = training_graph(*model).run(batch_.images);
  const Teacher fp32 = read_teacher(folder / "fp32.tflite"), int8 = read_teacher(folder / "int8.tflite");
  const Tensor<float> from_fp32 = fp32.engine.run(batch_.images), from_int8 = int8.engine.run(batch_.images);
  const auto [low, high] = std::minmax_element(own.begin(), own.end());
  for (int64_t i = 0; i < own.size(); ++i) {
    EXPECT_NEAR(from_fp32[i], own[i], 1e-4);
    EXPECT_NEAR(from_int8[i], own[i], 0.05 * (*high - *low));
  }
  EXPECT_NE(fp32.checksum, int8.checksum);
  EXPECT_EQ(int8.checksum, read_teacher(folder / "int8.tflite").checksum);
}

TEST(Teacher, WhatIsNoModelIsRefused) {
  const TemporaryFolder folder;
  expect_error([&] { read_teacher(folder / "none.tflite"); }, ErrorKind::kIo, {"none.tflite"});
  write_file(folder / "text.tflite", "a teacher of flesh and blood");
  expect_error([&] { read_teacher(folder / "text.tflite"); }, ErrorKind::kData, {"text.tflite"});
}

TEST_F(ATeacher, ImagesOfAnotherSizeThanItsOwnAreRefused) {
  const TemporaryFolder folder;
  Random random(1, "weights");
  const auto model = small_model(random);
  const CompiledModels compiled = compile(*model, data_, channel_statistics(data_), {});
  write_file(folder / "int8.tflite", compiled.int8_export.file.bytes);
  const TrainingHooks hooks = taught_by(read_teacher(folder / "int8.tflite"), {.teacher_share = 1});
  const Dataset larger = striped_images(6, 16, 1), coloured = striped_images(6, 12, 3);
  const Tensor<float> logits({6, 10});
  expect_error([&] { loss(hooks, logits, batch_of(larger)); }, ErrorKind::kUsage,
               {"do not fit the model", "[1,12,12,1]", "[6,16,16,1]"});
  expect_error([&] { loss(hooks, logits, batch_of(coloured)); }, ErrorKind::kUsage, {"[6,12,12,3]"});
}

TEST_F(ATeacher, ItsOptionsAreTheCheckpointsBusiness) {
  Random random(1, "weights");
  const auto model = small_model(random);
  const Teacher teacher{.engine = training_graph(*model), .checksum = "0abc"};
  const TrainingHooks hooks = taught_by(teacher, {.temperature = 3, .teacher_share = 0.5});
  const SettingsList expected = {
      {"checksum of the teacher", "0abc"}, {"temperature", "3"}, {"teacher's share", "0.5"}};
  EXPECT_EQ(hooks.settings, expected);
}

}  // namespace
}  // namespace qlimit
