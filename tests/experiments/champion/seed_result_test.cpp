#include "experiments/champion/seed_result.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

const SeedResult kResult{.seed = 43,
                         .parameters = 10'450,
                         .multiply_adds = 2'000'000,
                         .images = 10'000,
                         .fp32_correct = 8431,
                         .int8_correct = 8425,
                         .model_bytes = 19'000,
                         .seconds = 61.5};

TEST(SeedResult, ComesBackAsItWas) {
  const std::vector<EpochRecord> history = {{.train_loss = 1.5, .train_accuracy = 0.5}};
  const std::string text = to_json(kResult, history, /*holds_out=*/false).dump(2);
  EXPECT_EQ(parse_seed_result(text, "result.json"), kResult);
  EXPECT_NE(text.find("\"train_loss\": 1.5"), std::string::npos) << text;
  EXPECT_EQ(text.find("held_out"), std::string::npos) << text;
  const std::string trial = to_json(kResult, history, /*holds_out=*/true).dump(2);
  EXPECT_EQ(parse_seed_result(trial, "result.json"), kResult);
  EXPECT_NE(trial.find("held_out_accuracy"), std::string::npos) << trial;
  EXPECT_DOUBLE_EQ(kResult.fp32_accuracy(), 0.8431);
  EXPECT_DOUBLE_EQ(kResult.int8_accuracy(), 0.8425);
}

TEST(SeedResult, WhatCannotBeIsRefused) {
  const auto refused = [](const std::string& key, const nlohmann::json& value) {
    nlohmann::ordered_json json = to_json(kResult, {}, false);
    json[key] = value;
    expect_error([&] { parse_seed_result(json.dump(), "result.json"); }, ErrorKind::kData,
                 {"result.json", key});
  };
  refused("int8_correct", 10'001);
  refused("int8_correct", -1);
  refused("images", 0);
  refused("seed", "43");
  refused("seconds", -1.0);
  refused("surprise", 1);
  nlohmann::ordered_json json = to_json(kResult, {}, false);
  json.erase("seed");
  expect_error([&] { parse_seed_result(json.dump(), "a.json"); }, ErrorKind::kData, {"a.json", "seed"});
  expect_error([&] { parse_seed_result("{", "a.json"); }, ErrorKind::kData, {"a.json", "not JSON"});
}

}  // namespace
}  // namespace qlimit
