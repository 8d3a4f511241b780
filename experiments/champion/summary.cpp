#include "experiments/champion/summary.h"

#include "core/error.h"
#include "core/file.h"
#include "experiments/champion/recipes.h"
#include "experiments/json_object.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = 1 << 20;

std::vector<ChampionSummary::Seed> seeds_of(const JsonObject& json) {
  std::vector<ChampionSummary::Seed> seeds;
  for (const JsonObject& seed : json.objects("seeds")) {
    seeds.push_back({.seed = static_cast<uint64_t>(seed.whole("seed", 0, kMostWhole)),
                     .fp32 = seed.number("fp32", 0, 1),
                     .int8 = seed.number("int8", 0, 1)});
  }
  return seeds;
}

std::string epochs_of(const JsonObject& settings) {
  const std::string quantized = "epochs with quantization";
  return settings.text("epochs") + (settings.has(quantized) ? " + " + settings.text(quantized) : "");
}

}  // namespace

ChampionSummary parse_champion_json(std::string_view text, const std::string& where) {
  const JsonObject json = JsonObject::parse(text, where);
  const JsonObject settings = json.object("settings");
  if (settings.text("images") != "all" || settings.text("judged by") != "test images") {
    throw Error(ErrorKind::kData, {.what = "no champion, but a trial",
                                   .where = where,
                                   .expected = "all images, judged by test images",
                                   .found = concat("images ", settings.text("images"), ", judged by ",
                                                   settings.text("judged by"))});
  }
  return {.recipe = json.text("recipe"),
          .net = settings.text("net"),
          .epochs = epochs_of(settings),
          .parameters = json.whole("parameters", 1, kMostWhole),
          .model_bytes = json.whole("model_bytes", 0, kMostWhole),
          .aim = json.number("aim", 0, 1),
          .seeds = seeds_of(json)};
}

std::vector<ChampionSummary> read_champions(const fs::path& folder) {
  std::vector<ChampionSummary> champions;
  for (const ChampionRecipe& recipe : champion_recipes()) {
    const fs::path path = folder / recipe.name / "result.json";
    if (!fs::exists(path)) continue;
    const std::vector<uint8_t> bytes = read_file(path, kMostBytes);
    champions.push_back(
        parse_champion_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  }
  return champions;
}

}  // namespace qlimit
