// The experiments as a user meets them: programs that train on data/tiny, are killed, resumed, and refuse.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "tests/experiments/child.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

class ExperimentProgram : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  // A short run of mnist_cnn into `output`.
  Arguments mnist(const std::string& output, const Arguments& more = {}) const {
    Arguments all = {QLIMIT_MNIST_CNN,
                     "--data",
                     "tiny",
                     "--timed-calls",
                     "1",
                     "--calibration-images",
                     "16",
                     "--limit",
                     "256",
                     "--epochs",
                     "2",
                     "--output",
                     folder_ / output};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  Exit run(
      const Arguments& arguments, const std::function<void()>& prepare = [] {}) const {
    return Child(arguments, folder_ / "log", prepare).wait();
  }

  // Nothing on standard output; on standard error one line of the program with all `parts`.
  void expect_refusal(const Exit& exit, int status, const std::vector<std::string>& parts) const {
    EXPECT_EQ(exit.status, status) << exit.err;
    EXPECT_EQ(std::count(exit.err.begin(), exit.err.end(), '\n'), 1) << exit.err;
    for (const std::string& part : parts)
      EXPECT_NE(exit.err.find(part), std::string::npos) << part << " in: " << exit.err;
  }

  std::vector<uint8_t> bytes(const fs::path& file) const {
    return read_file(folder_ / file.string(), 1 << 26);
  }

  TemporaryFolder folder_;
};

TEST_F(ExperimentProgram, TrainsQuantizesAndReports) {
  const Exit exit = run(mnist("out", {"--epochs", "6"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_EQ(exit.err, "");
  for (const char* part :
       {"mnist_cnn: ", "threads on", "seed 42", "training images 256", "test images 200", "9,098",
        "epoch 6/6", "test accuracy", "model bytes", "training graph", "McNemar", "dB", "result.json"})
    EXPECT_NE(exit.out.find(part), std::string::npos) << part << " in:\n" << exit.out;

  const auto json = nlohmann::json::parse(bytes("out/result.json"));
  EXPECT_EQ(json["experiment"], "mnist_cnn");
  EXPECT_GT(json["fp32"]["accuracy"].get<double>(), 0.5);
  EXPECT_NEAR(json["int8"]["accuracy"].get<double>(), json["fp32"]["accuracy"].get<double>(), 0.05);
  EXPECT_EQ(json["fp32"]["accuracy"], json["training_graph"]["accuracy"]);
  EXPECT_EQ(json["training"]["epochs"].size(), 6u);
  for (const char* file : {"out/training_curve.png", "out/confusion_matrix.png", "out/checkpoint.qla"})
    EXPECT_GT(bytes(file).size(), 1000u) << file;
  EXPECT_EQ(bytes("out/model_fp32.tflite").size(), json["fp32"]["model_bytes"]);
  EXPECT_EQ(bytes("out/model_int8.tflite").size(), json["int8"]["model_bytes"]);
  EXPECT_EQ(json["int8"]["ledger"]["weights"], 72 + 1152 + 7840);  // 3x3x1x8, 3x3x8x16, 784x10
  EXPECT_EQ(json["fp32"]["ledger"]["weights"], 4 * (72 + 1152 + 7840));
}

TEST_F(ExperimentProgram, ProfileShowsEachLayerThereAndBackAndInBothEngines) {
  const Exit exit = run(mnist("out", {"--epochs", "1", "--profile"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  for (const char* part :
       {"-- training --", "a training step: ", "for 128 images", "conv2d + relu + max_pool2d", "[128,7,7,16]",
        "adam", "backward us", "-- fp32 --", "-- int8 --", "of peak", "225,792", "290,080"})
    EXPECT_NE(exit.out.find(part), std::string::npos) << part << " in:\n" << exit.out;
}

TEST_F(ExperimentProgram, MemoryAndTheLoadersShareAreSaidAndKept) {
  const Exit exit = run(mnist("out", {"--epochs", "1"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_NE(exit.out.find("waited for the loader"), std::string::npos) << exit.out;
  const auto training = nlohmann::json::parse(bytes("out/result.json"))["training"];
  EXPECT_GE(training["loader_share"].get<double>(), 0);
  EXPECT_LE(training["loader_share"].get<double>(), 1);
  // The first convolution's output of 128 images alone: 128 * 28 * 28 * 8 floats, 3.2 MB.
  EXPECT_GT(training["peak_tensor_bytes"].get<int64_t>(), 3'211'264);
  EXPECT_LT(training["peak_tensor_bytes"].get<int64_t>(), 100'000'000);
  EXPECT_GT(training["peak_resident_bytes"], training["peak_tensor_bytes"]);
}

TEST_F(ExperimentProgram, JsonIsAllThatStandardOutputGets) {
  const Exit exit = run(mnist("out", {"--json"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  const auto json = nlohmann::json::parse(exit.out);  // throws if anything else is there
  EXPECT_EQ(json, nlohmann::json::parse(bytes("out/result.json")));
  EXPECT_NE(exit.err.find("epoch 2/2"), std::string::npos);
}

TEST_F(ExperimentProgram, QuietLeavesOnlyTheTables) {
  const Exit exit = run(mnist("out", {"--quiet"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_EQ(exit.out.find("epoch 1"), std::string::npos);
  EXPECT_NE(exit.out.find("test accuracy"), std::string::npos);
}

TEST_F(ExperimentProgram, SeveralSeedsAreSummedUp) {
  const Exit exit = run(mnist("out", {"--seeds", "2", "--quiet"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_NE(exit.out.find("95 % interval"), std::string::npos) << exit.out;
  const auto json = nlohmann::json::parse(bytes("out/result.json"));
  EXPECT_EQ(json["seeds"]["runs"][1]["seed"], 43);
  EXPECT_FALSE(bytes("out/seed_42/checkpoint.qla") == bytes("out/seed_43/checkpoint.qla"));
}

TEST_F(ExperimentProgram, ValidationImagesAreSetAside) {
  const Exit exit = run(mnist("out", {"--validation", "56"}));
  ASSERT_EQ(exit.status, 0) << exit.err;
  EXPECT_NE(exit.out.find("training images 200"), std::string::npos) << exit.out;
  EXPECT_NE(exit.out.find("  validation "), std::string::npos) << exit.out;
}

TEST_F(ExperimentProgram, RequiredAccuracyDecidesTheStatus) {
  EXPECT_EQ(run(mnist("out", {"--require-accuracy", "5"})).status, 0);
  const Exit exit = run(mnist("out", {"--require-accuracy", "99.9", "--quiet"}));
  expect_refusal(exit, 1, {"mnist_cnn: ", "99.9 % required"});
  EXPECT_NE(exit.out.find("test accuracy"), std::string::npos);  // the figures come all the same
}

// ---- killed and resumed ----

TEST_F(ExperimentProgram, KilledTenTimesAndResumedEndsLikeAnUndisturbedRun) {
  const Arguments more = {"--epochs", "12", "--quiet"};
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run(mnist("whole", more)).status, 0);
  const double whole_seconds = Seconds(std::chrono::steady_clock::now() - start).count();

  Arguments resume = more;
  resume.push_back("--resume");
  const fs::path checkpoint = folder_ / "killed/checkpoint.qla";
  Random moments(11, "kill");
  int kills = 0, resumed = 0;
  for (int attempt = 0; kills < 10 && attempt < 100; ++attempt) {
    const bool again = fs::exists(checkpoint);
    Child child(mnist("killed", again ? resume : more), folder_ / "log");
    // The first one is killed only after it has saved something, however slow the machine is now.
    while (kills == 0 && !fs::exists(checkpoint)) std::this_thread::sleep_for(Seconds(0.001));
    std::this_thread::sleep_for(Seconds(moments.uniform(0, 0.8 * whole_seconds)));
    child.kill();
    const Exit exit = child.wait();
    if (exit.killed) {
      ++kills;
      resumed += again;
    } else {
      ASSERT_EQ(exit.status, 0) << exit.err;  // it was faster than the signal: begin again
      EXPECT_TRUE(bytes("killed/checkpoint.qla") == bytes("whole/checkpoint.qla"));
      fs::remove(checkpoint);
    }
  }
  EXPECT_EQ(kills, 10);
  EXPECT_GE(resumed, 1) << "no kill met a run that had been resumed";
  const Exit last = run(mnist("killed", fs::exists(checkpoint) ? resume : more));
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_TRUE(bytes("killed/checkpoint.qla") == bytes("whole/checkpoint.qla"));
}

TEST_F(ExperimentProgram, ResumingWithOtherSettingsIsRefused) {
  ASSERT_EQ(run(mnist("out")).status, 0);
  expect_refusal(run(mnist("out", {"--resume", "--seed", "7", "--quiet"})), 1,
                 {"other settings", "seed 7", "found 42"});
  expect_refusal(run(mnist("new", {"--resume", "--quiet"})), 1, {"checkpoint.qla"});
}

// ---- refusals ----

TEST_F(ExperimentProgram, WrongUsageHasStatusTwo) {
  expect_refusal(run(mnist("out", {"--epoch", "3"})), 2, {"mnist_cnn: ", "--epoch", "--epochs"});
  expect_refusal(run(mnist("out", {"--epochs", "0"})), 2, {"--epochs", "found 0"});
  expect_refusal(run(mnist("out", {"--threads", "x"})), 2, {"--threads"});
  expect_refusal(run(mnist("out", {"--validation", "256"})), 2, {"256"});
  expect_refusal(run(mnist("out", {"--augment"})), 2, {"--augment", "leave it out"});
  const Exit help = run(mnist("out", {"--help"}));
  EXPECT_EQ(help.status, 0);
  EXPECT_NE(help.out.find("Examples:"), std::string::npos);
}

TEST_F(ExperimentProgram, MissingDataNamesTheCommandThatBringsIt) {
  const auto missing = [&](const char* program) {
    return run({program, "--data", folder_ / "nothing", "--output", folder_ / "out"});
  };
  expect_refusal(missing(QLIMIT_MICRO_CIFAR), 1, {"micro_cifar: ", "data/fetch cifar10"});
  expect_refusal(missing(QLIMIT_STANDARD_CIFAR), 1, {"standard_cifar: ", "data/fetch cifar10"});
  expect_refusal(missing(QLIMIT_MNIST_CNN), 1, {"mnist_cnn: ", "data/fetch mnist"});
}

TEST_F(ExperimentProgram, ADivergingTrainingStopsWithThePlace) {
  expect_refusal(run(mnist("out", {"--learning-rate", "1e12", "--quiet"})), 1,
                 {"diverged", "epoch ", "step ", "--learning-rate"});
  EXPECT_FALSE(fs::exists(folder_ / "out/result.json"));
}

TEST_F(ExperimentProgram, AFileInPlaceOfTheOutputFolderIsRefusedBeforeTraining) {
  write_file(folder_ / "file", "not a folder");
  expect_refusal(run(mnist("file/out")), 1, {(folder_ / "file/out").string()});
}

// A limit on the size of files stands for a disk that fills up after the first kilobytes.
TEST_F(ExperimentProgram, AFullDiskStopsTheRunAndLeavesNothingHalfWritten) {
  const Exit exit = run(mnist("out", {"--quiet"}), [] {
    ::signal(SIGXFSZ, SIG_IGN);  // the write fails then, as on a full disk, instead of ending the program
    const rlimit limit{.rlim_cur = 20'000, .rlim_max = 20'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  expect_refusal(exit, 1, {"cannot write", "checkpoint.qla", "disk full"});
  EXPECT_TRUE(fs::is_empty(folder_ / "out"));
}

TEST_F(ExperimentProgram, AFullDeviceBehindStandardOutputIsNoSuccess) {
  const Exit exit = run(mnist("out", {"--json"}), [] { std::freopen("/dev/full", "w", stdout); });
  EXPECT_EQ(exit.status, 1);
  EXPECT_NE(exit.err.find("mnist_cnn: cannot write"), std::string::npos) << exit.err;
}

TEST_F(ExperimentProgram, ADamagedCheckpointIsRefused) {
  ASSERT_EQ(run(mnist("out")).status, 0);
  std::vector<uint8_t> damaged = bytes("out/checkpoint.qla");
  damaged[damaged.size() / 2] ^= 1;
  write_file(folder_ / "out/checkpoint.qla", damaged);
  expect_refusal(run(mnist("out", {"--resume", "--quiet"})), 1, {"checkpoint.qla", "checksum"});
}

}  // namespace
}  // namespace qlimit
