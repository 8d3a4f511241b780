#include "experiments/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/archive.h"
#include "core/file.h"
#include "tests/experiments/small_data.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

constexpr TrainingSettings kSettings{.epochs = 3, .batch_size = 16, .augmentation = {.pad = 2, .flip = true}};

class Checkpoint : public testing::Test {
 protected:
  // A training of one epoch, saved.
  void SetUp() override {
    SmallTraining small(micro_cifar_model, data_, kSettings);
    small.run(1);
    save_checkpoint(path_, small.training);
  }

  void load(const TrainingSettings& settings = kSettings,
            std::unique_ptr<Sequential> (*make_model)(Random&) = micro_cifar_model) {
    SmallTraining small(make_model, data_, settings);
    load_checkpoint(path_, small.training);
  }

  // The checkpoint with one entry replaced.
  void replace(const std::string& name, const Archive::Value& value) {
    Archive changed;
    const Archive sound = Archive::load(path_);
    for (const Archive::Entry& entry : sound.entries())
      changed.add(entry.name, entry.name == name ? value : entry.value);
    changed.save(path_);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "checkpoint.qla";
  Dataset data_ = striped_images(60, 32, 3);
};

TEST_F(Checkpoint, AResumedTrainingEndsLikeAnUndisturbedOne) {
  SmallTraining whole(micro_cifar_model, data_, kSettings);
  whole.run();
  save_checkpoint(folder_ / "whole.qla", whole.training);

  SmallTraining resumed(micro_cifar_model, data_, kSettings);
  load_checkpoint(path_, resumed.training);
  EXPECT_EQ(resumed.training.epochs_done(), 1);
  resumed.run();
  save_checkpoint(path_, resumed.training);
  EXPECT_TRUE(read_file(path_, 1 << 24) == read_file(folder_ / "whole.qla", 1 << 24));
}

TEST_F(Checkpoint, OtherSettingsAreNamed) {
  TrainingSettings other = kSettings;
  other.learning_rate = 0.02;
  expect_error([&] { load(other); }, ErrorKind::kData,
               {"other settings", path_.string(), "learning rate 0.02", "found 0.01", "start anew"});
  other = kSettings;
  other.epochs = 4;
  expect_error([&] { load(other); }, ErrorKind::kData, {"epochs 4", "found 3"});
  other = kSettings;
  other.seed = 43;
  expect_error([&] { load(other); }, ErrorKind::kData, {"seed 43", "found 42"});
  data_.labels[0] = 1;
  expect_error([&] { load(); }, ErrorKind::kData, {"checksum of the labels"});
}

TEST_F(Checkpoint, TheAverageOfTheWeightsIsAPartOfIt) {
  const auto averaged = [&](int64_t epochs, const std::filesystem::path& path, bool loads) {
    SmallTraining small(micro_cifar_model, data_, kSettings);
    WeightAverage average(*small.model, 0.9);
    if (loads) load_checkpoint(path, small.training, &average);
    while (small.training.epochs_done() < epochs) {
      small.run(small.training.epochs_done() + 1);
      average.update();
    }
    save_checkpoint(path, small.training, &average);
  };
  averaged(3, folder_ / "whole.qla", false);
  averaged(1, folder_ / "parts.qla", false);
  averaged(3, folder_ / "parts.qla", true);
  EXPECT_TRUE(read_file(folder_ / "whole.qla", 1 << 24) == read_file(folder_ / "parts.qla", 1 << 24));

  SmallTraining small(micro_cifar_model, data_, kSettings);
  WeightAverage average(*small.model, 0.9);
  expect_error([&] { load_checkpoint(path_, small.training, &average); }, ErrorKind::kData,
               {"average.updates"});  // SetUp saved none
}

TEST_F(Checkpoint, SettingsThatTheTrainingLacksAreNamed) {
  TrainingSettings cut = kSettings;
  cut.augmentation.cutout = 4;
  SmallTraining small(micro_cifar_model, data_, cut);
  small.run(1);
  save_checkpoint(path_, small.training);
  expect_error([&] { load(); }, ErrorKind::kData, {"other settings", "no cutout", "found 4"});
}

TEST_F(Checkpoint, AnotherModelIsRefused) {
  expect_error([&] { load(kSettings, standard_cifar_model); }, ErrorKind::kData,
               {path_.string(), "0.weight"});
}

TEST_F(Checkpoint, MissingFileIsAnIoError) {
  std::filesystem::remove(path_);
  expect_error([&] { load(); }, ErrorKind::kIo, {path_.string()});
}

TEST_F(Checkpoint, DamageIsSeen) {
  const std::vector<uint8_t> sound = read_file(path_, 1 << 24);
  for (size_t at : {size_t{0}, size_t{30}, sound.size() / 2, sound.size() - 1}) {
    std::vector<uint8_t> damaged = sound;
    damaged[at] ^= 0x10;
    write_file(path_, damaged);
    expect_error([&] { load(); }, ErrorKind::kData, {path_.string()});
  }
  for (size_t size : {size_t{0}, size_t{10}, sound.size() - 1}) {
    write_file(path_, std::vector<uint8_t>(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size)));
    expect_error([&] { load(); }, ErrorKind::kData, {path_.string()});
  }
}

// Files with a valid checksum that say what cannot be.
TEST_F(Checkpoint, AbsurdContentIsRefused) {
  const Archive sound = Archive::load(path_);
  Tensor<float> weight = sound.tensor<float>("model.0.weight").clone();
  weight[3] = std::numeric_limits<float>::quiet_NaN();
  replace("model.0.weight", weight);
  expect_error([&] { load(); }, ErrorKind::kData, {"model.0.weight", "not finite"});
  sound.save(path_);

  replace("optimizer.steps", Tensor<int64_t>::full(Shape(), 5));
  expect_error([&] { load(); }, ErrorKind::kData, {"steps", "expected 4", "found 5"});
  sound.save(path_);

  replace("history", Tensor<double>({4, 4}));
  expect_error([&] { load(); }, ErrorKind::kData, {"history", "[4,4]"});
  sound.save(path_);

  replace("kind", std::string("a holiday picture"));
  expect_error([&] { load(); }, ErrorKind::kData, {"not a checkpoint", "holiday"});
}

}  // namespace
}  // namespace qlimit
