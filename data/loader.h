// Loader: the batches of an epoch, shuffled, augmented and normalized by a thread of its own while the last
// one is being trained on.
//
//   const LoaderOptions options = {.batch_size = 128,
//                                  .seed = 42,
//                                  .shuffle = true,
//                                  .augmentation = {.pad = 4, .flip = true},
//                                  .normalization = channel_statistics(cifar.train)};
//   Loader loader(cifar.train, options);
//   for (int64_t epoch = 0; epoch < 40; ++epoch) {
//     loader.start_epoch(epoch);
//     for (Batch batch; loader.next(batch);) train(batch.images, batch.labels);
//   }
//
// For evaluation leave out shuffle and augmentation: the images come in their own order, the last batch
// short.
//
// What a batch holds depends on (seed, epoch, its number) alone. The order of an epoch is one shuffle of the
// stream (seed, "shuffle") split by the epoch; an image's augmentation is drawn from (seed, "augment") split
// by the epoch and by the image's index. So a run resumed at epoch 7 sees what an undisturbed one sees there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/normalize.h"
#include "data/prefetch.h"

namespace qlimit {

struct Batch {
  Tensor<float> images;         // [N,H,W,C], normalized
  std::vector<uint8_t> labels;  // N

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct LoaderOptions {
  int64_t batch_size = 128;
  uint64_t seed = 42;
  bool shuffle = false;
  Augmentation augmentation = {};
  Normalization normalization = {};  // of the training set, for every part of the data
  bool drop_last = false;            // leave out a last batch that is not full
  int64_t prefetch = 3;              // batches that wait ready
};

class Loader {
 public:
  /// Throws kData for a bad data set (check_dataset); kUsage for a batch size or prefetch below 1, padding or
  /// a cutout beyond the image's size, a normalization that does not fit, or drop_last where not even one
  /// batch is full.
  Loader(const Dataset& dataset, LoaderOptions options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches_per_epoch() const { return batches_per_epoch_; }
  int64_t images_per_epoch() const;

  /// Turns to the first batch of an epoch; an epoch that is still running is abandoned.
  void start_epoch(int64_t epoch);

  /// Moves the next batch of the epoch into `batch`; false (and `batch` untouched) after the last one. Throws
  /// kUsage before start_epoch, and whatever went wrong in the thread.
  bool next(Batch& batch);

  /// How long next() has waited for batches since the loader was made: near zero, or the loader is the
  /// bottleneck.
  double seconds_waited() const;

 private:
  /// The indices of the images in the order of an epoch.
  std::vector<int64_t> order(int64_t epoch) const;
  /// The images with these indices as `epoch` augments them. Runs on the thread.
  Batch make_batch(std::span<const int64_t> indices, int64_t epoch) const;

  const Dataset dataset_;  // its images are shared with the caller's
  const LoaderOptions options_;
  const NormalizationTable table_;
  int64_t batches_per_epoch_ = 0;
  double waited_before_ = 0;  // seconds, in earlier epochs
  std::unique_ptr<Prefetcher<Batch>> epoch_;
};

}  // namespace qlimit
