#include "experiments/champion/summary.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "experiments/champion/report.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qlimit {
namespace {

using Json = nlohmann::ordered_json;

Json result_of(const std::string& recipe) {
  const SeedResult first{.seed = 42,
                         .parameters = 1234,
                         .multiply_adds = 5678,
                         .images = 1000,
                         .fp32_correct = 850,
                         .int8_correct = 840,
                         .model_bytes = 4321};
  SeedResult second = first;
  second.seed = 43;
  second.int8_correct = 860;
  SettingsList settings = describe(champion_recipe(recipe));
  settings.push_back({"images", "all"});
  settings.push_back({"judged by", "test images"});
  return champion_json(champion_recipe(recipe), settings, {first, second});
}

TEST(ChampionSummary, SaysWhatWasWritten) {
  const ChampionSummary champion = parse_champion_json(result_of("micro").dump(), "result.json");
  EXPECT_EQ(champion.recipe, "micro");
  EXPECT_EQ(champion.net, champion_recipe("micro").net);
  EXPECT_EQ(champion.epochs, "140 + 4");  // with quantization
  EXPECT_EQ(champion.parameters, 1234);
  EXPECT_EQ(champion.model_bytes, 4321);
  EXPECT_EQ(champion.aim, 0.84);
  ASSERT_EQ(champion.seeds.size(), 2u);
  EXPECT_EQ(champion.seeds[1].seed, 43u);
  EXPECT_EQ(champion.seeds[1].fp32, 0.85);
  EXPECT_EQ(champion.seeds[1].int8, 0.86);
}

TEST(ChampionSummary, EpochsAreOneNumberWithoutAnyWithQuantization) {
  EXPECT_EQ(parse_champion_json(result_of("mnist").dump(), "result.json").epochs, "40");
}

TEST(ChampionSummary, FoldersAreReadInTheOrderOfTheRecipes) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_champions(folder / "none").empty());
  for (const char* recipe : {"standard", "micro"}) {
    ensure_writable_folder(folder / recipe);
    write_file(folder / recipe / "result.json", result_of(recipe).dump());
  }
  ensure_writable_folder(folder / "mnist_trial");
  write_file(folder / "mnist_trial/result.json", result_of("mnist").dump());
  const std::vector<ChampionSummary> champions = read_champions(folder / ".");
  ASSERT_EQ(champions.size(), 2u);
  EXPECT_EQ(champions[0].recipe, "micro");
  EXPECT_EQ(champions[1].recipe, "standard");
}

TEST(ChampionSummary, ATrialIsNoChampion) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"images", "of the sources"}, {"judged by", "training images held out"}}) {
    Json json = result_of("micro");
    json["settings"][key] = value;
    expect_error([&] { parse_champion_json(json.dump(), "result.json"); }, ErrorKind::kData,
                 {"result.json", "trial", value});
  }
}

TEST(ChampionSummary, DamageIsNamed) {
  const auto refused = [](const Json& json, const std::vector<std::string>& parts) {
    expect_error([&] { parse_champion_json(json.dump(), "result.json"); }, ErrorKind::kData, parts);
  };
  const Json sound = result_of("micro");
  for (const char* key : {"recipe", "settings", "parameters", "model_bytes", "aim", "seeds"}) {
    Json json = sound;
    json.erase(key);
    refused(json, {"result.json", key});
  }
  Json json = sound;
  json["settings"].erase("net");
  refused(json, {"settings", "net"});
  json = sound;
  json["seeds"][1]["int8"] = 1.5;
  refused(json, {"seeds 2", "int8", "1.5"});
  json = sound;
  json["seeds"] = "many";
  refused(json, {"seeds", "an array"});
  json = sound;
  json["seeds"][0] = 42;
  refused(json, {"seeds 1", "an object"});
  expect_error([] { parse_champion_json("{", "result.json"); }, ErrorKind::kData, {"result.json"});
}

}  // namespace
}  // namespace qlimit
