// Training a classifier: batches of images in, a better model out, one epoch at a time.
//
//   Training training(*model, cifar.train, channel_statistics(cifar.train), {.epochs = 40, .seed = 42});
//   while (!training.finished()) {
//     EpochRecord record = training.run_epoch(progress);
//     record.evaluation_accuracy = ...;
//     training.end_epoch(record);
//     save_checkpoint(path, training);         // experiments/checkpoint.h
//   }
//
// What a training computes depends on its settings, the data, the model's first weights and the instruction
// set alone: not on the number of threads, and not on how often it was interrupted and resumed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/loader.h"
#include "experiments/progress.h"
#include "layers/layer.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace qlimit {

/// Names and values, for people and for comparison: {"learning rate", "0.01"}.
using SettingsList = std::vector<std::pair<std::string, std::string>>;

struct TrainingSettings {
  int64_t epochs = 1;
  int64_t batch_size = 128;
  std::string optimizer = "adamw";     // adamw, adam, sgd
  double learning_rate = 0.01;         // the highest of the schedule
  std::string schedule = "one-cycle";  // one-cycle, cosine, step, constant
  double weight_decay = 0.01;
  double momentum = 0.9;  // of sgd
  double label_smoothing = 0;
  Augmentation augmentation = {};
  uint64_t seed = 42;
};

/// One epoch, as the training curve shows it. Shares are in [0,1].
struct EpochRecord {
  double train_loss = 0;
  double train_accuracy = 0;       // of the model as it was at each batch, on augmented images
  double evaluation_accuracy = 0;  // at the end of the epoch, on images that it does not train on
  double learning_rate = 0;        // of the last step
};

/// What a training does otherwise than usual: where distillation and averages of weights come in.
struct TrainingHooks {
  /// The loss of a batch, from the model's logits; empty: cross entropy with the settings' label smoothing.
  std::function<Variable(const Variable& logits, const Batch& batch)> loss = {};
  /// What happens after each step of the optimizer; empty: nothing.
  std::function<void()> after_step = {};
  /// What the two depend on, for checkpoints: {"temperature", "4"}.
  SettingsList settings = {};
};

class Training {
 public:
  /// `model` must outlive the training; images: [N,H,W,C] -> logits [N,K]. Throws kUsage for settings out of
  /// range.
  Training(Layer& model, const Dataset& train, const Normalization& normalization,
           const TrainingSettings& settings, TrainingHooks hooks = {});

  /// Trains on every image once. Throws kNumeric, with epoch, step and the likely cause, as soon as the loss
  /// is not finite; no checkpoint of that epoch can exist then.
  EpochRecord run_epoch(Progress& progress);
  /// Puts the epoch on record: the next one can begin.
  void end_epoch(const EpochRecord& record) { history_.push_back(record); }

  bool finished() const { return epochs_done() >= settings_.epochs; }
  int64_t epochs_done() const { return static_cast<int64_t>(history_.size()); }
  const std::vector<EpochRecord>& history() const { return history_; }
  int64_t images_per_epoch() const { return loader_.images_per_epoch(); }
  /// How long the steps have waited for their batches; near zero, or the loader is the bottleneck.
  double seconds_waited() const { return loader_.seconds_waited(); }
  int64_t steps_per_epoch() const { return loader_.batches_per_epoch(); }
  const TrainingSettings& settings() const { return settings_; }

  // What a checkpoint reads and restores.
  /// All that decides what the training computes, but for the model itself: settings, hooks, data and
  /// instruction set.
  SettingsList identity() const;
  Layer& model() { return model_; }
  Optimizer& optimizer() { return *optimizer_; }
  void set_history(std::vector<EpochRecord> history) { history_ = std::move(history); }

 private:
  /// One step of the optimizer; adds the batch to the figures of the epoch and returns the learning rate.
  double step(const Batch& batch, EpochProgress& sums);
  Variable loss(const Variable& logits, const Batch& batch) const;
  void check_loss(double loss) const;

  Layer& model_;
  TrainingSettings settings_;
  TrainingHooks hooks_;
  Loader loader_;
  SettingsList data_identity_;
  std::unique_ptr<Optimizer> optimizer_;
  Schedule rate_;
  std::vector<EpochRecord> history_;
};

/// The settings as the header line, the result file and checkpoints name them.
SettingsList describe(const TrainingSettings& settings);

/// The names of the optimizer and schedule of the command line, made real. Throws kUsage for an unknown one.
std::unique_ptr<Optimizer> make_optimizer(const TrainingSettings& settings, const Layer& model);
Schedule make_schedule(const TrainingSettings& settings, int64_t steps);

/// The row's largest logit for each image, the first among equals; logits: [N,K].
std::vector<uint8_t> predicted_classes(const Tensor<float>& logits);

}  // namespace qlimit
