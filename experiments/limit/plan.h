// The plan of a limit study: which nets, how long each is trained, and which questions are asked of it. Three
// plans exist; results of different plans never mix.
//
//   full    both shapes, 8 sizes, 5 seeds, all methods: 6 hours on two fast cores with AVX-512
//   quick   the same map coarsely: 3 sizes, 2 seeds, short trainings, 2,000 test images: 10 minutes
//   tiny    two nets on the MNIST images that come with the sources: seconds, for tests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/augment.h"
#include "experiments/limit/record.h"

namespace qlimit {

/// A net of the study, for each seed.
struct PlannedNet {
  std::string shape;
  int64_t width = 0;
  int64_t epochs = 0;
  bool calibrates = false;        // whether calibration sets of several sizes are tried
  bool trains_quantized = false;  // whether the methods that train are tried
};

struct StudyPlan {
  std::string preset;
  std::string data;        // as load_dataset knows it
  int64_t image_side = 0;  // pixels
  int64_t image_channels = 0;
  Augmentation augmentation = {};
  int64_t train_images = 0;  // the first so many
  int64_t test_images = 0;
  std::vector<PlannedNet> nets = {};
  std::vector<uint64_t> seeds = {};
  std::vector<BitWidths> points = {};  // of those of a method, these only; empty: all
  int64_t calibration_images = 512;
  std::vector<int64_t> calibration_sizes = {};  // that are tried
  std::vector<std::string> calibration_methods = {};
  std::vector<BitWidths> calibration_points = {};
  int layer_bits = 4;                     // of one layer at a time
  int64_t quantized_epochs = 2;           // of a training with quantization, after the net's own
  double quantized_learning_rate = 2e-3;  // its highest

  StudyHeader header() const { return {.preset = preset, .data = data, .test_images = test_images}; }
};

/// "full", "quick", "tiny". Throws kUsage for another name.
StudyPlan study_plan(std::string_view preset);

/// Those of a method's points that the plan wants.
std::vector<BitWidths> planned_points(const StudyPlan& plan, const std::vector<BitWidths>& points);

/// The plan's entry for a net. Throws kUsage if there is none.
const PlannedNet& planned_net(const StudyPlan& plan, const NetKey& net);

}  // namespace qlimit
