// What one seed of a champion has found, in its result.json:
//
//   {"seed": 42, "parameters": 10450, "multiply_adds": 2189792, "images": 10000, "fp32_correct": 8431,
//    "int8_correct": 8425, "model_bytes": 19432, "seconds": 3120.5, "epochs": [{"train_loss": ..., ...}]}
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/train.h"

namespace qlimit {

struct SeedResult {
  uint64_t seed = 0;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // for one image
  int64_t images = 0;         // that judged: test images, or those held out in a trial
  int64_t fp32_correct = 0;   // right answers among them, of the folded float model
  int64_t int8_correct = 0;
  int64_t model_bytes = 0;  // of model_int8.tflite
  double seconds = 0;       // of training, in the process that ended it; a resumed one has trained before

  double fp32_accuracy() const { return static_cast<double>(fp32_correct) / static_cast<double>(images); }
  double int8_accuracy() const { return static_cast<double>(int8_correct) / static_cast<double>(images); }
  bool operator==(const SeedResult&) const = default;
};

/// With the course of the training, for people and charts. holds_out: whether images were held out that judged
/// each epoch, as in a trial.
nlohmann::ordered_json to_json(const SeedResult& result, const std::vector<EpochRecord>& history,
                               bool holds_out);

/// The way back, but for the epochs. `where` is the file, for complaints. Throws kData for a key that is
/// missing, unknown or out of range.
SeedResult parse_seed_result(std::string_view text, const std::string& where);

}  // namespace qlimit
