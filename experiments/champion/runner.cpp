#include "experiments/champion/runner.h"

#include <fmt/format.h>

#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "core/file_lock.h"
#include "core/parallel.h"
#include "experiments/champion/images.h"
#include "experiments/champion/report.h"
#include "experiments/champion/seed_run.h"

namespace qlimit {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostTextBytes = 1 << 24;
constexpr uint64_t kMostModelBytes = 1 << 28;

std::string read_text(const fs::path& path) {
  const std::vector<uint8_t> bytes = read_file(path, kMostTextBytes);
  return {bytes.begin(), bytes.end()};
}

void note(const ChampionPlace& place, const std::string& text) {
  if (place.quiet) return;
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void require_size(const ChampionRecipe& recipe) {
  Random random(recipe.training.seed, "weights");
  int64_t parameters = 0;
  for (const Parameter& p : make_model(recipe, random)->parameters()) parameters += p.variable.shape().size();
  if (parameters <= recipe.most_parameters) return;
  throw Error(ErrorKind::kUsage, {.what = "the model of this recipe is too large",
                                  .where = recipe.name,
                                  .expected = concat("at most ", recipe.most_parameters, " parameters"),
                                  .found = concat(parameters)});
}

SettingsList settings_of(const ChampionRecipe& recipe, const ChampionPlace& place, const Teacher* teacher) {
  SettingsList settings = describe(recipe);
  settings.push_back({"images", place.data == "tiny" ? "of the sources" : "all"});
  settings.push_back({"judged by", place.trial ? "training images held out" : "test images"});
  if (teacher) settings.push_back({"checksum of the teacher", teacher->checksum});
  return settings;
}

std::string lines(const SettingsList& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += name + ": " + value + "\n";
  return text;
}

// The first line of `text` that `other` does not have at the same place; empty if it is the end that differs.
std::string first_difference(const std::string& text, const std::string& other) {
  std::istringstream lines(text), other_lines(other);
  for (std::string line, other_line; std::getline(lines, line); other_line.clear()) {
    std::getline(other_lines, other_line);
    if (line != other_line) return line;
  }
  return "";
}

// The folder is ours if it is new or was made with the same settings.
void claim_folder(const fs::path& folder, const SettingsList& settings) {
  ensure_writable_folder(folder);
  const fs::path path = folder / "recipe.txt";
  const std::string wanted = lines(settings);
  if (!fs::exists(path)) write_file(path, wanted);
  const std::string found = read_text(path);
  if (found == wanted) return;
  throw Error(ErrorKind::kUsage, {.what = "the output folder belongs to other settings",
                                  .where = path.string(),
                                  .expected = first_difference(wanted, found),
                                  .found = first_difference(found, wanted),
                                  .hint = "choose another folder with --output, or remove this one"});
}

std::vector<uint64_t> seeds_of(const ChampionRecipe& recipe) {
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < recipe.seeds; ++i) seeds.push_back(recipe.training.seed + static_cast<uint64_t>(i));
  return seeds;
}

fs::path seed_folder(const fs::path& folder, uint64_t seed) { return folder / fmt::format("seed_{}", seed); }

bool is_done(const fs::path& seed_folder) { return fs::exists(seed_folder / "result.json"); }

void run_missing_seeds(const ChampionRecipe& recipe, const ChampionPlace& place, const Teacher* teacher) {
  std::vector<uint64_t> missing;
  for (const uint64_t seed : seeds_of(recipe))
    if (!is_done(seed_folder(place.folder, seed))) missing.push_back(seed);
  if (missing.empty()) return;
  const ChampionImages images = load_champion_images(recipe, place.data, place.trial);

  const auto folder_of = [&](size_t i) { return seed_folder(place.folder, missing[i]); };
  const auto run_unless_done = [&](size_t i) {
    if (is_done(folder_of(i))) return;  // by another process, meanwhile
    note(place, fmt::format("{}, seed {} ({} of {} to do), to {}", recipe.name, missing[i], i + 1,
                            missing.size(), folder_of(i).string()));
    run_seed(recipe, images, teacher, missing[i], folder_of(i), progress_style(stdout, place.quiet));
  };
  // The seeds that nobody else is at come first. Those of other processes are waited for, and done here if
  // they were not finished there.
  std::vector<size_t> elsewhere;
  for (size_t i = 0; i < missing.size(); ++i) {
    ensure_writable_folder(folder_of(i));
    if (const auto lock = FileLock::try_hold(folder_of(i) / "lock"))
      run_unless_done(i);
    else
      elsewhere.push_back(i);
  }
  for (const size_t i : elsewhere) {
    if (is_done(folder_of(i))) continue;
    note(place, fmt::format("waiting for seed {}, which another process trains", missing[i]));
    const FileLock lock = FileLock::hold(folder_of(i) / "lock");
    run_unless_done(i);
  }
}

std::vector<SeedResult> read_results(const ChampionRecipe& recipe, const fs::path& folder) {
  std::vector<SeedResult> results;
  for (const uint64_t seed : seeds_of(recipe)) {
    const fs::path path = seed_folder(folder, seed) / "result.json";
    results.push_back(parse_seed_result(read_text(path), path.string()));
  }
  return results;
}

// The machine that a result names is one that trained: a later call, which finds all seeds done, leaves it.
void write_result(const fs::path& path, const nlohmann::ordered_json& json) {
  if (fs::exists(path)) {
    auto before = nlohmann::ordered_json::parse(read_text(path), nullptr, /*allow_exceptions=*/false);
    if (before.is_object()) {
      for (const char* key : {"machine", "git_revision"}) before[key] = json.at(key);
      if (before == json) return;
    }
  }
  write_file(path, json.dump(2) + "\n");
}

ChampionPlace place_of(const std::string& recipe, const ChampionOptions& options) {
  const fs::path root = options.output.empty() ? fs::path("results") / "champion" : options.output;
  return {.folder = root / (options.trial ? recipe + "_trial" : recipe),
          .data = options.data,
          .trial = options.trial,
          .quiet = options.quiet};
}

// The file that the student learns from, made if need be.
fs::path teacher_file(const ChampionRecipe& student, const ChampionOptions& options) {
  if (!options.teacher.empty()) return options.teacher;
  const ChampionRecipe recipe =
      chosen_recipe({.recipe = student.teacher, .trial = options.trial, .data = options.data, .seeds = 1});
  const ChampionPlace place = place_of(recipe.name, options);
  claim_folder(place.folder, settings_of(recipe, place, nullptr));  // a model of other settings is not meant
  const fs::path file = seed_folder(place.folder, recipe.training.seed) / "model_int8.tflite";
  if (!fs::exists(file)) {
    note(place, fmt::format("the teacher is not there yet; the recipe {} makes it", recipe.name));
    run_recipe(recipe, place, nullptr);
  }
  return file;
}

}  // namespace

std::vector<SeedResult> run_recipe(const ChampionRecipe& recipe, const ChampionPlace& place,
                                   const Teacher* teacher) {
  require_size(recipe);
  const SettingsList settings = settings_of(recipe, place, teacher);
  claim_folder(place.folder, settings);
  run_missing_seeds(recipe, place, teacher);
  const std::vector<SeedResult> results = read_results(recipe, place.folder);
  const fs::path first = seed_folder(place.folder, recipe.training.seed) / "model_int8.tflite";
  write_file(place.folder / "model_int8.tflite", read_file(first, kMostModelBytes));
  write_result(place.folder / "result.json", champion_json(recipe, settings, results));
  return results;
}

void run_champion(const ChampionOptions& options) {
  if (options.threads > 0) set_thread_count(options.threads);
  const ChampionRecipe recipe = chosen_recipe(options);
  require_size(recipe);  // before a teacher is trained for it
  const ChampionPlace place = place_of(recipe.name, options);
  std::optional<Teacher> teacher;
  if (is_taught(recipe)) teacher = read_teacher(teacher_file(recipe, options));
  const std::vector<SeedResult> results = run_recipe(recipe, place, teacher ? &*teacher : nullptr);
  fmt::print("{}written to {}: result.json, model_int8.tflite\n", champion_table(recipe, results),
             place.folder.string());
}

}  // namespace qlimit
