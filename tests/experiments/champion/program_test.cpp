#include "experiments/champion/program.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

ChampionRecipe chosen(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  const auto options = parse_champion_options(arguments, out);
  EXPECT_TRUE(options.has_value()) << out.str();
  return chosen_recipe(options.value_or(ChampionOptions{}));
}

TEST(ChampionOptions, WithoutAnyItIsTheMicroRecipe) {
  EXPECT_EQ(describe(chosen({})), describe(champion_recipe("micro")));
  EXPECT_EQ(chosen({}).seeds, champion_recipe("micro").seeds);
  EXPECT_EQ(describe(chosen({"standard"})), describe(champion_recipe("standard")));
}

TEST(ChampionOptions, EachIsHonoured) {
  const ChampionRecipe recipe = chosen({"micro", "--epochs",
                                        "7",     "--batch-size",
                                        "33",    "--learning-rate",
                                        "0.5",   "--weight-decay",
                                        "0.25",  "--average-decay",
                                        "0.75",  "--quantized-epochs",
                                        "2",     "--quantized-learning-rate",
                                        "0.125", "--temperature",
                                        "3",     "--teacher-share",
                                        "0.125", "--seeds",
                                        "5",     "--optimizer",
                                        "sgd",   "--cutout",
                                        "12",    "--net",
                                        "C8 R8"});
  EXPECT_EQ(recipe.training.epochs, 7);
  EXPECT_EQ(recipe.training.batch_size, 33);
  EXPECT_EQ(recipe.training.optimizer, "sgd");
  EXPECT_EQ(recipe.training.learning_rate, 0.5);
  EXPECT_EQ(recipe.training.weight_decay, 0.25);
  EXPECT_EQ(recipe.training.augmentation.cutout, 12);
  EXPECT_EQ(recipe.average_decay, 0.75);
  EXPECT_EQ(recipe.quantized_epochs, 2);
  EXPECT_EQ(recipe.quantized_learning_rate, 0.125);
  EXPECT_EQ(recipe.teaching.temperature, 3);
  EXPECT_EQ(recipe.teaching.teacher_share, 0.125);
  EXPECT_EQ(recipe.seeds, 5);
  EXPECT_EQ(recipe.net, "C8 R8");
}

TEST(ChampionOptions, WhoDoesNotListenNeedsNoTeacher) {
  EXPECT_TRUE(is_taught(chosen({"micro", "--teacher-share", "0.9"})));
  EXPECT_FALSE(is_taught(chosen({"micro", "--teacher-share", "0"})));
}

TEST(ChampionOptions, TrialsHaveOneSeedAndTinyImagesFewEpochs) {
  EXPECT_EQ(chosen({"mnist", "--trial"}).seeds, 1);
  EXPECT_EQ(chosen({"mnist", "--trial", "--seeds", "2"}).seeds, 2);
  EXPECT_EQ(chosen({"mnist", "--data", "tiny"}).training.epochs, 2);
  EXPECT_EQ(chosen({"mnist", "--data", "tiny", "--epochs", "3"}).training.epochs, 3);
}

TEST(ChampionOptions, HelpHasExamples) {
  std::ostringstream out;
  EXPECT_FALSE(parse_champion_options({"--help"}, out).has_value());
  for (const char* part : {"micro", "mnist", "standard", "--trial", "--teacher", "Examples:", "--data tiny",
                           "\n  champion mnist --threads 1 &"})
    EXPECT_NE(out.str().find(part), std::string::npos) << part << " in " << out.str();
}

TEST(ChampionOptions, WrongOnesAreRefused) {
  const auto refused = [](const std::vector<std::string>& arguments, const std::vector<std::string>& parts) {
    expect_error([&] { chosen(arguments); }, ErrorKind::kUsage, parts);
  };
  refused({"macro"}, {"macro", "micro", "standard"});
  refused({"--epochs", "0"}, {"--epochs"});
  refused({"--seeds", "-1"}, {"--seeds"});
  refused({"--average-decay", "1"}, {"--average-decay"});
  refused({"--teacher-share", "1.5"}, {"--teacher-share"});
  refused({"--optimizer", "lion"}, {"--optimizer", "sgd"});
  refused({"--cutout", "29"}, {"--cutout"});
  refused({"--fast"}, {"--fast"});
  refused({"micro", "--teacher", "model.tflite", "--teacher-share", "0"},
          {"share of 0", "--teacher-share 0.9"});
  refused({"micro", "--temperature", "2"}, {"share of 0"});
  refused({"mnist", "--teacher", "model.tflite"}, {"no teacher", "mnist"});
  refused({"standard", "--temperature", "2"}, {"no teacher", "standard"});
  refused({"mnist", "--quantized-learning-rate", "0.5"}, {"with quantization", "mnist"});
}

}  // namespace
}  // namespace qlimit
