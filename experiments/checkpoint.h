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

#include "experiments/train.h"

namespace qlimit {

/// Throws kIo if the file cannot be written; the one before stays then.
void save_checkpoint(const std::filesystem::path& path, Training& training);

/// Throws kIo for a missing file, kData for one that is damaged, belongs to other settings, data or another
/// model, or holds numbers that are not finite; the training is of no further use then.
void load_checkpoint(const std::filesystem::path& path, Training& training);

}  // namespace qlimit
