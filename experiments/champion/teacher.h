// The teacher of a champion: a larger trained model, whose answers to the very images that the student sees,
// augmented as they are, go into the student's loss (layers/distillation.h; Beyer et al., "Knowledge
// distillation: a good teacher is patient and consistent", CVPR 2022, section 3: the same crop for both).
//
//   const Teacher teacher = read_teacher("results/champion/standard/seed_42/model_int8.tflite");
//   Training training(*model, train, normalization, settings, taught_by(teacher, {.temperature = 4}));
//
// It answers in int8: its accuracy is that of its float twin, and it costs the third of the time.
#pragma once

#include <filesystem>
#include <string>

#include "experiments/measure.h"
#include "experiments/train.h"
#include "layers/distillation.h"

namespace qlimit {

struct Teacher {
  Engine engine;
  std::string checksum;  // of its file, for checkpoints
};

/// Reads a .tflite file, which must give [N,10] logits for images of the shape [N,H,W,C]. Throws kIo if it is
/// not there, and what read_tflite throws.
Teacher read_teacher(const std::filesystem::path& file);

/// The loss of a student, and what it depends on.
TrainingHooks taught_by(const Teacher& teacher, const DistillationOptions& options);

}  // namespace qlimit
