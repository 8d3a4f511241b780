// Runs a recipe, seed after seed, in a folder that remembers what is done.
//
//   run_champion(options);                       // what the program does
//   run_recipe(recipe, place, teacher);          // its part without the search for a teacher
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/champion/program.h"
#include "experiments/champion/seed_result.h"
#include "experiments/champion/teacher.h"

namespace qlimit {

/// Where a recipe runs, and on what.
struct ChampionPlace {
  std::filesystem::path folder;
  std::string data = {};  // what --data said
  bool trial = false;
  bool quiet = false;
};

/// Does the seeds that are not done and writes the files that program.h lists. Throws kUsage if the recipe's
/// model has too many parameters, or the folder belongs to other settings; kData for a damaged result; and
/// what loading and training throw.
std::vector<SeedResult> run_recipe(const ChampionRecipe& recipe, const ChampionPlace& place,
                                   const Teacher* teacher);

/// Does what the options say. A teacher that is not there is trained first: the first seed of its recipe, in
/// a trial as a trial, so that no teacher has seen the images that judge its student.
void run_champion(const ChampionOptions& options);

}  // namespace qlimit
