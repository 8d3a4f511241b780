#include "experiments/champion/recipes.h"

#include <fmt/format.h>

#include "core/error.h"
#include "experiments/champion/nets.h"

namespace qlimit {
namespace {

ChampionRecipe micro() {
  return {.name = "micro",
          .dataset = "cifar10",
          .net = "C24 D32 P R32 R32 P D48 R48",
          .most_parameters = 10'500,
          .aim = 0.84,
          .training = {.epochs = 140,
                       .batch_size = 64,
                       .learning_rate = 0.01,
                       .weight_decay = 0.01,
                       .augmentation = {.pad = 4, .flip = true}},
          .average_decay = 0.999,
          .teacher = "standard",
          .teaching = {.temperature = 4, .teacher_share = 0},
          .quantized_epochs = 4};
}

ChampionRecipe mnist() {
  return {.name = "mnist",
          .dataset = "mnist",
          .net = "C8 D16 P D24 R24 R24 P D32 R32 R32",
          .most_parameters = 7'999,
          .aim = 0.994,
          .training = {.epochs = 40,
                       .batch_size = 128,
                       .learning_rate = 0.01,
                       .weight_decay = 0.01,
                       .augmentation = {.pad = 2}},
          .average_decay = 0.999};
}

ChampionRecipe standard() {
  return {.name = "standard",
          .dataset = "cifar10",
          .net = "standard",
          .most_parameters = 353'802,
          .aim = 0.92,
          .training = {.epochs = 70,
                       .batch_size = 64,
                       .learning_rate = 0.004,
                       .weight_decay = 0.05,
                       .label_smoothing = 0.1,
                       .augmentation = {.pad = 4, .flip = true, .cutout = 8}},
          .average_decay = 0.999};
}

}  // namespace

const std::vector<ChampionRecipe>& champion_recipes() {
  static const std::vector<ChampionRecipe> recipes = {micro(), mnist(), standard()};
  return recipes;
}

const ChampionRecipe& champion_recipe(std::string_view name) {
  for (const ChampionRecipe& recipe : champion_recipes())
    if (recipe.name == name) return recipe;
  throw Error(ErrorKind::kUsage,
              {.what = "no such recipe", .expected = "micro, mnist or standard", .found = std::string(name)});
}

bool is_taught(const ChampionRecipe& recipe) {
  return !recipe.teacher.empty() && recipe.teaching.teacher_share > 0;
}

std::unique_ptr<Sequential> make_model(const ChampionRecipe& recipe, Random& random) {
  const Shape image = recipe.dataset == "mnist" ? Shape({1, 28, 28, 1}) : Shape({1, 32, 32, 3});
  return make_net(recipe.net, image, random);
}

SettingsList describe(const ChampionRecipe& recipe) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  SettingsList list = {{"recipe", recipe.name}, {"data set", recipe.dataset}, {"net", recipe.net}};
  for (const auto& setting : describe(recipe.training))
    if (setting.first != "seed") list.push_back(setting);
  list.push_back({"decay of the average", text(recipe.average_decay)});
  if (is_taught(recipe)) {
    list.push_back({"teacher", recipe.teacher});
    list.push_back({"temperature", text(recipe.teaching.temperature)});
    list.push_back({"teacher's share", text(recipe.teaching.teacher_share)});
  }
  if (recipe.quantized_epochs > 0) {
    list.push_back({"epochs with quantization", text(recipe.quantized_epochs)});
    list.push_back({"learning rate with quantization", text(recipe.quantized_learning_rate)});
  }
  list.push_back({"calibration", recipe.calibration});
  list.push_back({"calibration images", text(recipe.calibration_images)});
  return list;
}

}  // namespace qlimit
