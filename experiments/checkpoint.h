// Checkpoints: a training between two epochs, in one file (core/archive.h has the format).
//
//   save_checkpoint("results/micro_cifar/checkpoint.qla", training);
//   load_checkpoint("results/micro_cifar/checkpoint.qla", training);   // the same model and settings
//
// Weights, running statistics, the optimizer's memory and steps, random streams and the history: a resumed
// training computes the same bits as one that was never interrupted. The file is replaced as a whole, so a
// crash while it is written leaves the one before.
#pragma once

#include <filesystem>
#include <string>

#include "experiments/train.h"
#include "optim/weight_average.h"

namespace qlimit {

/// With the average of the weights, if there is one. Throws kIo if the file cannot be written; the one before
/// stays then.
void save_checkpoint(const std::filesystem::path& path, Training& training,
                     const WeightAverage* average = nullptr);

/// Throws kIo for a missing file, kData for one that is damaged, belongs to other settings, data or another
/// model, holds numbers that are not finite, or lacks the average that is asked for; neither training nor
/// average are of further use then. hint: what the user of a program can do about other settings.
void load_checkpoint(const std::filesystem::path& path, Training& training, WeightAverage* average = nullptr,
                     const std::string& hint = "start anew without it");

}  // namespace qlimit
