#include "experiments/champion/report.h"

#include <fmt/format.h>

#include "experiments/machine.h"
#include "experiments/progress.h"
#include "experiments/report.h"
#include "experiments/statistics.h"
#include "experiments/text_table.h"

namespace qlimit {
namespace {

using Json = nlohmann::ordered_json;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::vector<double> accuracies(const std::vector<SeedResult>& results,
                               double (SeedResult::*accuracy)() const) {
  std::vector<double> all;
  for (const SeedResult& result : results) all.push_back((result.*accuracy)());
  return all;
}

std::string interval_text(const std::vector<double>& values) {
  const Interval interval = student_interval(values, kConfidence);
  return percent(interval.low) + " ... " + percent(interval.high);
}

Json statistics(const std::vector<double>& values) {
  Json json = {{"mean", mean(values)}};
  if (values.size() < 2) return json;
  const Interval interval = student_interval(values, kConfidence);
  json["deviation"] = standard_deviation(values);
  json["interval_95"] = {interval.low, interval.high};
  return json;
}

}  // namespace

std::string champion_table(const ChampionRecipe& recipe, const std::vector<SeedResult>& results) {
  const std::vector<double> fp32 = accuracies(results, &SeedResult::fp32_accuracy);
  const std::vector<double> int8 = accuracies(results, &SeedResult::int8_accuracy);
  std::vector<TextRow> rows = {{"seed", "fp32", "int8", "training"}};
  for (const SeedResult& r : results) {
    rows.push_back({fmt::format("{}", r.seed), percent(r.fp32_accuracy()), percent(r.int8_accuracy()),
                    clock_text(r.seconds)});
  }
  rows.push_back({"mean", percent(mean(fp32)), percent(mean(int8))});
  if (results.size() > 1) rows.push_back({"95 % interval", interval_text(fp32), interval_text(int8)});
  const SeedResult& first = results.front();
  return text_table(rows) +
         fmt::format("\n{} parameters of at most {}, {} multiply-adds, {} bytes; {} images judged\n",
                     thousands(first.parameters), thousands(recipe.most_parameters),
                     thousands(first.multiply_adds), thousands(first.model_bytes), thousands(first.images)) +
         fmt::format("aim: {} in int8, {}\n", percent(recipe.aim),
                     mean(int8) >= recipe.aim ? "reached" : "not reached");
}

Json champion_json(const ChampionRecipe& recipe, const SettingsList& settings,
                   const std::vector<SeedResult>& results) {
  const std::vector<double> int8 = accuracies(results, &SeedResult::int8_accuracy);
  const Machine machine = describe_machine();
  Json json = {{"recipe", recipe.name}};
  for (const auto& [name, value] : settings) json["settings"][name] = value;
  json["parameters"] = results.front().parameters;
  json["multiply_adds"] = results.front().multiply_adds;
  json["model_bytes"] = results.front().model_bytes;
  json["images"] = results.front().images;
  for (const SeedResult& r : results) {
    json["seeds"].push_back(
        {{"seed", r.seed}, {"fp32", r.fp32_accuracy()}, {"int8", r.int8_accuracy()}, {"seconds", r.seconds}});
  }
  json["fp32"] = statistics(accuracies(results, &SeedResult::fp32_accuracy));
  json["int8"] = statistics(int8);
  json["aim"] = recipe.aim;
  json["reached"] = mean(int8) >= recipe.aim;
  json["machine"] = to_json(machine);
  json["git_revision"] = machine.git_revision;
  return json;
}

}  // namespace qlimit
