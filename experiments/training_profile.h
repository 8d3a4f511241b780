// Where the time of a training step goes: how long each operation takes, there and back.
//
//   const TrainingProfile profile = profile_training(*model, images, labels, 50);
//   std::cout << to_text(profile, measure_peaks().real);
//
// The clock is read at each operation that the tape gets, and at each backward step (TapeListener): what is
// measured is the ordinary step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/layer.h"

namespace qlimit {

struct OperationTime {
  std::string name;                    // "conv2d"
  Shape output = {};                   // of the whole batch
  int64_t multiply_adds = 0;           // forward, of the whole batch
  int64_t backward_multiply_adds = 0;  // as many for each of data and weights that wants a gradient
  double forward_us = 0, backward_us = 0;
};

struct TrainingProfile {
  int64_t batch = 0;
  std::vector<OperationTime> operations = {};  // in the order of the tape, the loss at the end
  double optimizer_us = 0;                     // Adam
  double step_us = 0;                          // the whole step
};

/// Medians of `steps` steps after some to warm up: forward, cross-entropy, backward, Adam with a learning
/// rate of 0, on one batch: images [N,H,W,C], N labels. Weights stay as they are, statistics of batch norm do
/// not. Throws kUsage if steps < 1.
TrainingProfile profile_training(Layer& model, const Tensor<float>& images,
                                 const std::vector<uint8_t>& labels, int64_t steps);

/// A table; `peak`: multiply-adds a second, 0 if it is not known.
std::string to_text(const TrainingProfile& profile, double peak);

}  // namespace qlimit
