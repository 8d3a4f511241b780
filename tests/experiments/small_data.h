// Data sets that are made in a moment, and a training without words.
#pragma once

#include <memory>

#include "core/random.h"
#include "experiments/models.h"
#include "experiments/train.h"

namespace qlimit {

/// `count` images of ten classes that differ in brightness and in one bright row, with noise: easy to learn.
inline Dataset striped_images(int64_t count, int64_t side, int64_t channels) {
  Dataset data{.images = Tensor<uint8_t>({count, side, side, channels}),
               .labels = {},
               .class_names = {},
               .name = "stripes"};
  for (int k = 0; k < 10; ++k) data.class_names.push_back("class " + std::to_string(k));
  Random random(3, "stripes");
  for (int64_t n = 0; n < count; ++n) {
    const auto label = static_cast<uint8_t>(n % 10);
    data.labels.push_back(label);
    for (int64_t y = 0; y < side; ++y) {
      const uint32_t base = y / 2 == label ? 180 : 10 * label;
      for (int64_t i = 0; i < side * channels; ++i)
        data.images[(n * side + y) * side * channels + i] = static_cast<uint8_t>(base + random.below(60));
    }
  }
  return data;
}

/// A model with a training of its own.
struct SmallTraining {
  SmallTraining(std::unique_ptr<Sequential> (*make_model)(Random&), const Dataset& data,
                const TrainingSettings& settings)
      : weights(settings.seed, "weights"),
        model(make_model(weights)),
        training(*model, data, channel_statistics(data), settings) {}

  /// Trains up to the given number of epochs, or to the end.
  void run(int64_t epochs = INT64_MAX) {
    Progress silent(stdout, ProgressStyle::kQuiet, training.settings().epochs, training.images_per_epoch());
    while (!training.finished() && training.epochs_done() < epochs) {
      silent.begin_epoch(training.epochs_done() + 1);
      training.end_epoch(training.run_epoch(silent));
    }
  }

  Random weights;
  std::unique_ptr<Sequential> model;
  Training training;
};

}  // namespace qlimit
