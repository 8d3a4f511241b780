#include "experiments/options.h"

#include <gtest/gtest.h>

#include <sstream>

#include "core/error.h"

namespace qlimit {
namespace {

std::optional<Options> parse(const std::vector<std::string>& arguments, std::ostream& out) {
  return parse_options("micro_cifar", "A small network on CIFAR-10.",
                       Options{.output = "results", .epochs = 40}, arguments, out);
}

Options parsed(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  return parse(arguments, out).value();
}

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

// The message of the usage error that the arguments cause; it must be one line.
std::string complaint(const std::vector<std::string>& arguments) {
  try {
    parsed(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(Options, DefaultsAreTheExperimentsOwn) {
  const Options options = parsed({});
  EXPECT_EQ(options.epochs, 40);
  EXPECT_EQ(options.output, "results");
  EXPECT_EQ(options.seed, 42u);
  EXPECT_FALSE(options.profile);
  EXPECT_FALSE(options.require_accuracy);
}

TEST(Options, EveryOptionIsRead) {
  const Options o = parsed({"--data",
                            "d",
                            "--output",
                            "o",
                            "--epochs",
                            "2",
                            "--batch-size=64",
                            "--optimizer",
                            "sgd",
                            "--learning-rate",
                            "0.5",
                            "--schedule",
                            "cosine",
                            "--weight-decay",
                            "0.1",
                            "--momentum",
                            "0.8",
                            "--label-smoothing",
                            "0.1",
                            "--no-augment",
                            "--limit",
                            "1000",
                            "--validation",
                            "500",
                            "--seed",
                            "7",
                            "--seeds",
                            "5",
                            "--threads",
                            "2",
                            "--calibration-images",
                            "100",
                            "--calibration",
                            "mse",
                            "--per-tensor",
                            "--timed-calls",
                            "10",
                            "--profile",
                            "--quiet",
                            "--json",
                            "--require-accuracy",
                            "72"});
  EXPECT_EQ(o.data, "d");
  EXPECT_EQ(o.output, "o");
  EXPECT_EQ(o.epochs, 2);
  EXPECT_EQ(o.batch_size, 64);
  EXPECT_EQ(o.optimizer, "sgd");
  EXPECT_EQ(o.learning_rate, 0.5);
  EXPECT_EQ(o.schedule, "cosine");
  EXPECT_EQ(o.weight_decay, 0.1);
  EXPECT_EQ(o.momentum, 0.8);
  EXPECT_EQ(o.label_smoothing, 0.1);
  EXPECT_FALSE(o.augment);
  EXPECT_EQ(o.limit, 1000);
  EXPECT_EQ(o.validation, 500);
  EXPECT_EQ(o.seed, 7u);
  EXPECT_EQ(o.seeds, 5);
  EXPECT_EQ(o.threads, 2);
  EXPECT_EQ(o.calibration_images, 100);
  EXPECT_EQ(o.calibration, "mse");
  EXPECT_TRUE(o.per_tensor);
  EXPECT_EQ(o.timed_calls, 10);
  EXPECT_TRUE(o.profile);
  EXPECT_TRUE(o.quiet);
  EXPECT_TRUE(o.json);
  EXPECT_EQ(o.require_accuracy, 72);
  EXPECT_TRUE(parsed({"--resume"}).resume);
  EXPECT_FALSE(parsed({"--per-channel"}).per_tensor);
}

TEST(Options, TheLastOfSeveralValuesHolds) {
  EXPECT_EQ(parsed({"--epochs", "2", "--epochs", "3"}).epochs, 3);
}

TEST(Options, UnknownOptionListsTheKnownOnes) {
  expect_contains(complaint({"--epoch", "3"}), {"--epoch", "--epochs", "--seed"});
  expect_contains(complaint({"stray"}), {"stray"});
}

TEST(Options, AnOptionIsNoValueOfAnother) {
  expect_contains(complaint({"--output", "--resume"}), {"--output", "no value", "--resume"});
  expect_contains(complaint({"--data", "--epochs", "3"}), {"--data", "no value", "--epochs"});
  EXPECT_EQ(parsed({"--output", "--odd-folder"}).output, "--odd-folder");
}

TEST(Options, BadValuesNameOptionAndRange) {
  expect_contains(complaint({"--epochs", "0"}), {"--epochs", "from 1 to", "found 0"});
  expect_contains(complaint({"--epochs", "many"}), {"--epochs", "many"});
  expect_contains(complaint({"--epochs", "2.5"}), {"--epochs"});
  expect_contains(complaint({"--epochs", "010"}), {"--epochs", "found 010"});
  expect_contains(complaint({"--epochs", "0x10"}), {"--epochs", "found 0x10"});
  expect_contains(complaint({"--epochs", ""}), {"--epochs"});
  expect_contains(complaint({"--output", ""}), {"--output", "empty"});
  expect_contains(complaint({"--epochs"}), {"--epochs"});
  expect_contains(complaint({"--epochs", "99999999999999999999"}), {"--epochs"});
  expect_contains(complaint({"--seed", "-1"}), {"--seed"});
  expect_contains(complaint({"--learning-rate", "nan"}), {"--learning-rate"});
  expect_contains(complaint({"--learning-rate", "0"}), {"--learning-rate"});
  expect_contains(complaint({"--learning-rate", "1e999"}), {"--learning-rate"});
  expect_contains(complaint({"--momentum", "1"}), {"--momentum"});
  expect_contains(complaint({"--momentum", "0.5"}), {"--momentum", "adamw", "--optimizer sgd"});
  expect_contains(complaint({"--schedule", "linear"}), {"--schedule", "one-cycle"});
  expect_contains(complaint({"--calibration", "max"}), {"--calibration", "entropy"});
  expect_contains(complaint({"--threads", "-2"}), {"--threads"});
  expect_contains(complaint({"--require-accuracy", "101"}), {"--require-accuracy"});
  expect_contains(complaint({"--resume", "--seeds", "5"}), {"--seeds"});
}

TEST(Options, HelpShowsOptionsDefaultsAndExamples) {
  std::ostringstream out;
  EXPECT_FALSE(parse({"--help"}, out).has_value());
  expect_contains(out.str(), {"--learning-rate", "40", "Examples:", "micro_cifar --epochs 2 --seed 7"});
}

}  // namespace
}  // namespace qlimit
