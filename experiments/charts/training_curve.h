// The picture of one training: loss and accuracy by epoch, side by side, and the learning rate if it is
// given.
//
//   TrainingCurve curve{.title = "micro_cifar", .evaluation = "validation"};
//   curve.epochs.push_back({.train_loss = 1.71, .train_accuracy = 0.37, .evaluation_accuracy = 0.45});
//   write_training_curve("results/micro_cifar/training_curve.png", curve);
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/charts/canvas.h"

namespace qlimit {

/// Figures of one epoch; what was not measured stays empty. Accuracies are fractions in [0, 1].
struct EpochFigures {
  std::optional<double> train_loss = {};
  std::optional<double> evaluation_loss = {};
  std::optional<double> train_accuracy = {};
  std::optional<double> evaluation_accuracy = {};
  std::optional<double> learning_rate = {};
};

struct TrainingCurve {
  std::string title = {};
  std::string subtitle = {};              // a quieter second line
  std::string evaluation = "validation";  // what the evaluation figures were measured on
  std::vector<EpochFigures> epochs = {};  // epoch 1 first
};

/// Draws the curves, each labelled at its end with its last value. Values that are not finite leave a gap.
/// Throws kUsage if there is no epoch or no finite figure at all.
Canvas draw_training_curve(const TrainingCurve& curve);

/// Draws and writes the PNG (whole or not at all).
void write_training_curve(const std::filesystem::path& path, const TrainingCurve& curve);

}  // namespace qlimit
