#include "experiments/champion/seed_result.h"

#include <cmath>

#include "experiments/json_object.h"

namespace qlimit {

nlohmann::ordered_json to_json(const SeedResult& result, const std::vector<EpochRecord>& history,
                               bool holds_out) {
  nlohmann::ordered_json epochs = nlohmann::ordered_json::array();
  for (const EpochRecord& r : history) {
    epochs.push_back({{"train_loss", r.train_loss},
                      {"train_accuracy", r.train_accuracy},
                      {"learning_rate", r.learning_rate}});
    if (holds_out) epochs.back()["held_out_accuracy"] = r.evaluation_accuracy;
  }
  return {{"seed", result.seed},
          {"parameters", result.parameters},
          {"multiply_adds", result.multiply_adds},
          {"images", result.images},
          {"fp32_correct", result.fp32_correct},
          {"int8_correct", result.int8_correct},
          {"model_bytes", result.model_bytes},
          {"seconds", result.seconds},
          {"epochs", epochs}};
}

SeedResult parse_seed_result(std::string_view text, const std::string& where) {
  const JsonObject json = JsonObject::parse(text, where);
  json.expect_keys({"seed", "parameters", "multiply_adds", "images", "fp32_correct", "int8_correct",
                    "model_bytes", "seconds", "epochs"});
  const int64_t images = json.whole("images", 1, kMostWhole);
  return {.seed = static_cast<uint64_t>(json.whole("seed", 0, kMostWhole)),
          .parameters = json.whole("parameters", 1, kMostWhole),
          .multiply_adds = json.whole("multiply_adds", 0, kMostWhole),
          .images = images,
          .fp32_correct = json.whole("fp32_correct", 0, images),
          .int8_correct = json.whole("int8_correct", 0, images),
          .model_bytes = json.whole("model_bytes", 0, kMostWhole),
          .seconds = json.number("seconds", 0, HUGE_VAL)};
}

}  // namespace qlimit
