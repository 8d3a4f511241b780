// Averaging of weights: a second set of weights that follows the trained ones and is better than they are.
//
// With a learning rate above zero, weights wander about a good point instead of resting on it; their average
// over the last steps lies nearer to it (Polyak and Juditsky, "Acceleration of stochastic approximation by
// averaging", 1992). The average here is exponential, and corrected for its start as Adam's moments are
// (Kingma and Ba, 2015, section 3), so that it holds from the first step on:
//
//   share_t   = (1 - decay) / (1 - decay^t)
//   average_t = average_(t-1) + share_t * (weights_t - average_(t-1))
//
//   WeightAverage average(model, 0.999);
//   ... optimizer.step(rate); average.update();
//   {
//     const AveragedWeights now(average);        // the model holds the averages
//     recompute_statistics(model, batches);      // layers/batch_norm_statistics.h
//     evaluate(model);
//   }                                            // and again what is being trained
//
// The running statistics of batch norm are averaged like weights. That is cheap and near enough to watch a
// training by, but they are not quite the statistics of the averaged network: its activations are others than
// those of any network on the way (Izmailov et al., "Averaging weights leads to wider optima", 2018, section
// 3.2). So before a model is kept or quantized they are computed anew, by a pass over training images,
// augmented as in the training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/archive.h"
#include "layers/layer.h"

namespace qlimit {

class WeightAverage {
 public:
  /// Averages of all parameters and buffers of `model`, zero before the first update. decay: in [0,1); with
  /// 0.999 about the last thousand steps count. Throws kUsage for another.
  WeightAverage(const Layer& model, double decay);

  /// Takes the model's numbers into the average; after each step of the optimizer.
  void update();
  /// Exchanges the model's numbers and the averages; a second time, back. Throws kUsage before the first
  /// update: there is no average yet. See AveragedWeights.
  void swap();

  int64_t updates() const { return updates_; }
  /// The averages by the names of the model's tensors, sharing storage.
  const std::vector<Buffer>& averages() const { return averages_; }

  /// For load_state: throws kUsage for a negative number.
  void set_updates(int64_t updates);

 private:
  double decay_;
  int64_t updates_ = 0;
  std::vector<Buffer> held_;  // the model's own tensors
  std::vector<Buffer> averages_;
};

/// While one of these lives, the model holds the averages. A checkpoint must not be written meanwhile.
class AveragedWeights {
 public:
  explicit AveragedWeights(WeightAverage& average) : average_(average) { average_.swap(); }
  ~AveragedWeights() { average_.swap(); }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage& average_;
};

/// Adds updates() and the averages under prefix + name; the tensors share storage.
void save_state(const WeightAverage& average, Archive& archive, const std::string& prefix = "average.");

/// The way back, all or nothing: throws kData, naming the entry, if one is missing, superfluous, wrongly
/// shaped or not finite, or the number of updates is negative; the average is then as it was.
void load_state(WeightAverage& average, const Archive& archive, const std::string& prefix = "average.");

}  // namespace qlimit
