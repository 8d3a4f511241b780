// What the seeds of a champion say together: a table for people, result.json for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/champion/recipes.h"
#include "experiments/champion/seed_result.h"

namespace qlimit {

/// A line for each seed, then the mean and, of two seeds or more, its 95 % interval (Student's); below, the
/// recipe's aim and whether the mean in int8 reaches it. At least one result.
std::string champion_table(const ChampionRecipe& recipe, const std::vector<SeedResult>& results);

/// The same with the settings, sizes and the machine.
nlohmann::ordered_json champion_json(const ChampionRecipe& recipe, const SettingsList& settings,
                                     const std::vector<SeedResult>& results);

}  // namespace qlimit
