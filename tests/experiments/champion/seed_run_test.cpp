#include "experiments/champion/seed_run.h"

#include <gtest/gtest.h>

#include "core/archive.h"
#include "core/file.h"
#include "core/parallel.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

class SeedRun : public testing::Test {
 protected:
  void SetUp() override {
    recipe_.name = "small";
    recipe_.dataset = "mnist";
    recipe_.net = "P C8 P D16 R16";
    recipe_.training = {.epochs = 4, .batch_size = 32, .augmentation = {.pad = 2}};
    recipe_.average_decay = 0.9;
    recipe_.calibration_images = 100;
  }

  fs::path folder(const std::string& name) const {
    ensure_writable_folder(folder_ / name);
    return folder_ / name;
  }
  SeedResult run(const std::string& name, const Teacher* teacher = nullptr, bool trial = false) const {
    const ChampionImages images = load_champion_images(recipe_, "tiny", trial);
    return run_seed(recipe_, images, teacher, 5, folder(name), ProgressStyle::kQuiet);
  }
  std::vector<uint8_t> bytes(const std::string& file) const { return read_file(folder_ / file, 1 << 24); }

  // Answers 1 for the class that the brightness of the upper half suggests; fails at its n-th batch.
  static Teacher made_up_teacher(int64_t fails_at = INT64_MAX) {
    auto batches = std::make_shared<int64_t>(0);
    return {.engine = {.name = "made up",
                       .run =
                           [=](const Tensor<float>& images) {
                             if (++*batches == fails_at) throw Error(ErrorKind::kIo, {.what = "a power cut"});
                             Tensor<float> logits({images.dim(0), 10});
                             const int64_t size = images.size() / images.dim(0);
                             for (int64_t n = 0; n < images.dim(0); ++n) {
                               float sum = 0;
                               for (int64_t i = 0; i < size / 2; ++i) sum += images[n * size + i];
                               logits(n, sum > 0 ? 1 : 0) = 1;
                             }
                             return logits;
                           }},
            .checksum = "made up"};
  }

  TemporaryFolder folder_;
  ChampionRecipe recipe_;
};

TEST_F(SeedRun, LearnsAndLeavesItsFiles) {
  recipe_.training.epochs = 12;
  const SeedResult result = run("out");
  EXPECT_EQ(result.seed, 5u);
  EXPECT_EQ(result.images, 200);
  EXPECT_GT(result.fp32_accuracy(), 0.6);
  EXPECT_NEAR(result.int8_accuracy(), result.fp32_accuracy(), 0.05);
  EXPECT_EQ(result.model_bytes, static_cast<int64_t>(bytes("out/model_int8.tflite").size()));
  const std::vector<uint8_t> text = bytes("out/result.json");
  EXPECT_EQ(parse_seed_result({reinterpret_cast<const char*>(text.data()), text.size()}, "result.json"),
            result);

  // The file answers as the result says.
  const ChampionImages images = load_champion_images(recipe_, "tiny", false);
  const Teacher file = read_teacher(folder_ / "out/model_int8.tflite");
  const Evaluation again = evaluate(file.engine, images.judges, images.normalization);
  EXPECT_EQ(std::count(again.outcomes.begin(), again.outcomes.end(), 1), result.int8_correct);
}

TEST_F(SeedRun, KeepsTheAverageOfTheWeights) {
  run("out");
  const Archive model = Archive::load(folder_ / "out/model.qla");
  const Archive checkpoint = Archive::load(folder_ / "out/checkpoint.qla");
  const auto& kept = model.tensor<float>("model.1.weight");
  const auto& trained = checkpoint.tensor<float>("model.1.weight");
  const auto& average = checkpoint.tensor<float>("average.1.weight");
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), average.begin()));
  EXPECT_FALSE(std::equal(kept.begin(), kept.end(), trained.begin()));
  // Batch norm's statistics are those of the averaged weights, not the average of statistics.
  const auto& mean = model.tensor<float>("model.2.running_mean");
  const auto& followed = checkpoint.tensor<float>("average.2.running_mean");
  EXPECT_FALSE(std::equal(mean.begin(), mean.end(), followed.begin()));
}

// With weights that stand still, the training has followed the same statistics; crops with wide margins have
// other ones than whole images.
TEST_F(SeedRun, StatisticsAreThoseOfTheImagesThatTrained) {
  recipe_.training.augmentation.pad = 12;
  recipe_.training.learning_rate = 1e-12;
  recipe_.training.epochs = 2;
  run("out");
  const Archive model = Archive::load(folder_ / "out/model.qla");
  const Archive checkpoint = Archive::load(folder_ / "out/checkpoint.qla");
  for (const char* name : {"2.running_mean", "2.running_variance"}) {
    const auto& kept = model.tensor<float>(concat("model.", name));
    const auto& followed = checkpoint.tensor<float>(concat("average.", name));
    for (int64_t c = 0; c < kept.size(); ++c)
      EXPECT_NEAR(kept[c], followed[c], 0.2 * std::abs(followed[c])) << name << " " << c;
  }
}

TEST_F(SeedRun, GoesOnBitIdenticallyAfterAnInterruption) {
  const Teacher sound = made_up_teacher(), failing = made_up_teacher(80);  // in the third of four epochs
  run("whole", &sound);
  EXPECT_THROW(run("cut", &failing), Error);
  EXPECT_FALSE(fs::exists(folder_ / "cut/result.json"));
  run("cut", &sound);
  for (const char* file : {"checkpoint.qla", "model.qla", "model_fp32.tflite", "model_int8.tflite"})
    EXPECT_TRUE(bytes(concat("whole/", file)) == bytes(concat("cut/", file))) << file;
}

// The float model is the same with and without epochs with quantization; the integers are others, and as
// good.
TEST_F(SeedRun, TrainsWithQuantization) {
  recipe_.training.epochs = 12;
  run("afterwards");
  recipe_.quantized_epochs = 2;
  const SeedResult result = run("trained");
  EXPECT_TRUE(bytes("afterwards/model_fp32.tflite") == bytes("trained/model_fp32.tflite"));
  EXPECT_FALSE(bytes("afterwards/model_int8.tflite") == bytes("trained/model_int8.tflite"));
  EXPECT_GT(result.int8_accuracy(), result.fp32_accuracy() - 0.05);
}

TEST_F(SeedRun, TrainingWithQuantizationGoesOnAfterAnInterruption) {
  recipe_.quantized_epochs = 3;
  const Teacher sound = made_up_teacher(), failing = made_up_teacher(175);  // in the second of the three
  run("whole", &sound);
  EXPECT_THROW(run("cut", &failing), Error);
  EXPECT_TRUE(fs::exists(folder_ / "cut/quantized_checkpoint.qla"));
  EXPECT_FALSE(fs::exists(folder_ / "cut/result.json"));
  run("cut", &sound);
  for (const char* file : {"quantized_checkpoint.qla", "model_int8.tflite"})
    EXPECT_TRUE(bytes(concat("whole/", file)) == bytes(concat("cut/", file))) << file;
}

TEST_F(SeedRun, ResultsDoNotDependOnTheThreads) {
  recipe_.quantized_epochs = 1;
  const int before = thread_count();
  const Teacher teacher = made_up_teacher();
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    run(concat(threads), &teacher);
  }
  set_thread_count(before);
  EXPECT_TRUE(bytes("1/checkpoint.qla") == bytes("3/checkpoint.qla"));
  EXPECT_TRUE(bytes("1/model_int8.tflite") == bytes("3/model_int8.tflite"));
}

TEST_F(SeedRun, CheckpointsOfOtherRecipesAreRefused) {
  run("out");
  const Teacher teacher = made_up_teacher();
  expect_error([&] { run("out", &teacher); }, ErrorKind::kData, {"other settings", "teacher made up"});
  recipe_.average_decay = 0.95;
  expect_error([&] { run("out"); }, ErrorKind::kData, {"decay of the average 0.95", "found 0.9"});
}

TEST_F(SeedRun, JudgesAreAskedAfterEachEpochOfATrialOnly) {
  const auto history = [&](bool trial) {
    const ChampionImages images = load_champion_images(recipe_, "tiny", trial);
    return train_champion(recipe_, images, nullptr, 5, folder(trial ? "trial" : "final"),
                          ProgressStyle::kQuiet)
        .history;
  };
  ASSERT_EQ(history(false).size(), 4u);
  for (const EpochRecord& record : history(false)) EXPECT_EQ(record.evaluation_accuracy, 0);
  for (const EpochRecord& record : history(true)) EXPECT_GT(record.evaluation_accuracy, 0);
}

}  // namespace
}  // namespace qlimit
