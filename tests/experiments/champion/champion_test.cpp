// The program champion as a user meets it, on the images of the sources.
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "core/file.h"
#include "core/file_lock.h"
#include "experiments/champion/runner.h"
#include "tests/experiments/child.h"
#include "tests/support/expect_error.h"
#include "tests/support/sanitizers.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// Those that train the standard net as a teacher are skipped under sanitizers.
class Champion : public testing::Test {
 protected:
  Arguments command(const Arguments& more, const std::string& output = "out") const {
    Arguments all = {QLIMIT_CHAMPION, "--data", "tiny", "--output", folder_ / output};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Exit run(const Arguments& more, const std::string& output = "out") const {
    return Child(command(more, output), folder_ / "log").wait();
  }
  std::vector<uint8_t> bytes(const fs::path& file) const {
    return read_file(folder_ / file.string(), 1 << 26);
  }
  nlohmann::json json(const fs::path& file) const { return nlohmann::json::parse(bytes(file)); }

  TemporaryFolder folder_;
};

TEST_F(Champion, TrainsItsTeacherThenItselfThenNothing) {
  if (kUnderSanitizer) GTEST_SKIP();
  const Exit exit = run({"micro", "--seeds", "2", "--epochs", "1", "--teacher-share", "0.9"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_EQ(exit.err, "");
  for (const char* part :
       {"the recipe standard makes it", "standard, seed 42 (1 of 1 to do)", "micro, seed 42 (1 of 2 to do)",
        "micro, seed 43 (2 of 2 to do)", "epoch 1/1", "95 % interval", "aim: 84.00 % in int8", "result.json"})
    EXPECT_NE(exit.out.find(part), std::string::npos) << part << " in:\n" << exit.out;
  const auto result = json("out/micro/result.json");
  EXPECT_EQ(result["recipe"], "micro");
  EXPECT_EQ(result["seeds"].size(), 2u);
  EXPECT_EQ(result["images"], 200);
  EXPECT_EQ(result["settings"]["judged by"], "test images");
  EXPECT_TRUE(bytes("out/micro/model_int8.tflite") == bytes("out/micro/seed_42/model_int8.tflite"));
  EXPECT_EQ(json("out/standard/result.json")["seeds"].size(), 1u);

  const auto before = fs::last_write_time(folder_ / "out/micro/seed_43/result.json");
  const Exit again = run({"micro", "--seeds", "2", "--epochs", "1", "--teacher-share", "0.9"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out.find("epoch"), std::string::npos) << again.out;
  EXPECT_EQ(json("out/micro/result.json"), result);
  EXPECT_EQ(fs::last_write_time(folder_ / "out/micro/seed_43/result.json"), before);
}

TEST_F(Champion, TrialsHaveFoldersTeachersAndJudgesOfTheirOwn) {
  if (kUnderSanitizer) GTEST_SKIP();
  const Exit exit = run({"micro", "--trial", "--epochs", "1", "--teacher-share", "0.9"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_NE(exit.out.find("held out "), std::string::npos) << exit.out;
  EXPECT_TRUE(fs::exists(folder_ / "out/standard_trial/seed_42/model_int8.tflite"));
  EXPECT_FALSE(fs::exists(folder_ / "out/standard"));
  EXPECT_FALSE(fs::exists(folder_ / "out/micro"));
  const auto result = json("out/micro_trial/result.json");
  EXPECT_EQ(result["settings"]["judged by"], "training images held out");
  EXPECT_EQ(result["images"], 100);
}

TEST_F(Champion, AnyTfliteFileTeaches) {
  if (kUnderSanitizer) GTEST_SKIP();
  ASSERT_EQ(run({"standard", "--seeds", "1", "--epochs", "1"}, "other").status, 0);
  const fs::path file = folder_ / "other/standard/seed_42/model_fp32.tflite";
  const Exit exit =
      run({"micro", "--seeds", "1", "--epochs", "1", "--teacher", file, "--teacher-share", "0.5"});
  EXPECT_EQ(exit.status, 0) << exit.err;
  EXPECT_FALSE(fs::exists(folder_ / "out/standard"));
}

TEST_F(Champion, GoesOnSeedBySeedAfterItWasKilled) {
  if (kUnderSanitizer) GTEST_SKIP();
  const Arguments arguments = {"mnist", "--seeds", "2", "--epochs", "3", "--quiet"};
  ASSERT_EQ(run(arguments, "whole").status, 0);
  // Once each as soon as a seed has saved its first epoch.
  for (const char* checkpoint : {"seed_42/checkpoint.qla", "seed_43/checkpoint.qla"}) {
    Child child(command(arguments, "killed"), folder_ / "log");
    while (!fs::exists(folder_ / "killed/mnist" / checkpoint))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    child.kill();
    ASSERT_TRUE(child.wait().killed);
  }
  ASSERT_EQ(run(arguments, "killed").status, 0);
  for (const char* file : {"seed_42/checkpoint.qla", "seed_42/model_int8.tflite", "seed_43/checkpoint.qla",
                           "seed_43/model_int8.tflite"})
    EXPECT_TRUE(bytes(fs::path("whole/mnist") / file) == bytes(fs::path("killed/mnist") / file)) << file;
}

TEST_F(Champion, MoreSeedsAreAddedToThoseThatAreDone) {
  ASSERT_EQ(run({"mnist", "--seeds", "1", "--epochs", "1"}).status, 0);
  const Exit exit = run({"mnist", "--seeds", "2", "--epochs", "1"});
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_NE(exit.out.find("seed 43 (1 of 1 to do)"), std::string::npos) << exit.out;
  EXPECT_EQ(json("out/mnist/result.json")["seeds"].size(), 2u);
}

TEST_F(Champion, LeavesTheSeedsOfOtherProcessesToThem) {
  fs::create_directories(folder_ / "out/mnist/seed_42");
  std::optional<FileLock> other = FileLock::hold(folder_ / "out/mnist/seed_42/lock");
  Child child(command({"mnist", "--seeds", "2", "--epochs", "1"}), folder_ / "log");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!fs::exists(folder_ / "out/mnist/seed_43/result.json") &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(fs::exists(folder_ / "out/mnist/seed_42/checkpoint.qla"));
  other.reset();  // and it has not finished its seed
  const Exit exit = child.wait();
  ASSERT_EQ(exit.status, 0) << exit.err;
  const size_t second = exit.out.find("mnist, seed 43 (2 of 2 to do)");
  const size_t waiting = exit.out.find("waiting for seed 42, which another process trains");
  const size_t first = exit.out.find("mnist, seed 42 (1 of 2 to do)");
  EXPECT_TRUE(second < waiting && waiting < first && first != std::string::npos) << exit.out;
  EXPECT_EQ(json("out/mnist/result.json")["seeds"].size(), 2u);
}

TEST_F(Champion, ProcessesSideBySideShareTheSeeds) {
  const Arguments arguments = {"mnist", "--seeds", "2", "--epochs", "1", "--threads", "1"};
  Child one(command(arguments), folder_ / "one");
  Child two(command(arguments), folder_ / "two");
  const Exit exits[] = {one.wait(), two.wait()};
  std::string out;
  for (const Exit& exit : exits) {
    EXPECT_EQ(exit.status, 0) << exit.err;
    EXPECT_NE(exit.out.find("95 % interval"), std::string::npos) << exit.out;
    out += exit.out;
  }
  for (const char* seed : {"mnist, seed 42 (", "mnist, seed 43 ("}) {
    const size_t at = out.find(seed);
    EXPECT_NE(at, std::string::npos) << out;
    EXPECT_EQ(out.find(seed, at + 1), std::string::npos) << "trained twice:\n" << out;
  }
}

TEST_F(Champion, FoldersOfOtherSettingsAreRefused) {
  ASSERT_EQ(run({"mnist", "--seeds", "1", "--epochs", "1"}).status, 0);
  const Exit exit = run({"mnist", "--seeds", "1", "--epochs", "1", "--learning-rate", "0.5"});
  EXPECT_EQ(exit.status, 2);
  EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
  for (const char* part :
       {"other settings", "recipe.txt", "learning rate: 0.5", "learning rate: 0.0", "--output"})
    EXPECT_NE(exit.err.find(part), std::string::npos) << part << " in " << exit.err;
}

TEST_F(Champion, DamagedResultsAreNamed) {
  ASSERT_EQ(run({"mnist", "--seeds", "1", "--epochs", "1"}).status, 0);
  write_file(folder_ / "out/mnist/seed_42/result.json", "{");
  const Exit exit = run({"mnist", "--seeds", "1", "--epochs", "1"});
  EXPECT_EQ(exit.status, 1);
  EXPECT_NE(exit.err.find("seed_42/result.json"), std::string::npos) << exit.err;
}

TEST_F(Champion, MissingDataIsOneError) {
  const Exit exit =
      Child({QLIMIT_CHAMPION, "mnist", "--data", folder_ / "nothing", "--output", folder_ / "out"},
            folder_ / "log")
          .wait();
  EXPECT_EQ(exit.status, 1);
  EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
  EXPECT_NE(exit.err.find("data/fetch mnist"), std::string::npos) << exit.err;
}

TEST_F(Champion, ModelsThatAreTooLargeAreRefused) {
  ChampionRecipe recipe = champion_recipe("mnist");
  recipe.most_parameters = 7000;
  expect_error([&] { run_recipe(recipe, {.folder = folder_ / "out", .data = "tiny"}, nullptr); },
               ErrorKind::kUsage, {"too large", "mnist", "at most 7000", "7026"});
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

}  // namespace
}  // namespace qlimit
