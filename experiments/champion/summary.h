// What a champion's result.json says, read again for the study's page.
//
//   for (const ChampionSummary& champion : read_champions("results/champion")) ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qlimit {

struct ChampionSummary {
  struct Seed {
    uint64_t seed = 0;
    double fp32 = 0;  // accuracies, in [0,1]
    double int8 = 0;
  };
  std::string recipe;
  std::string net;     // in the words of experiments/champion/nets.h
  std::string epochs;  // "80", or with those of training with quantization "140 + 4"
  int64_t parameters = 0;
  int64_t model_bytes = 0;
  double aim = 0;
  std::vector<Seed> seeds = {};
};

/// The way back from champion_json, for what is above. `where` is the file, for complaints. Throws kData for
/// a value that is missing, of another type or out of range.
ChampionSummary parse_champion_json(std::string_view text, const std::string& where);

/// Of the recipes that have a result.json in the folder, in the order of champion_recipes(). Trials are not
/// read. Throws as above, and kIo.
std::vector<ChampionSummary> read_champions(const std::filesystem::path& folder);

}  // namespace qlimit
