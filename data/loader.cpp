#include "data/loader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "data/cutout.h"

namespace qlimit {
namespace {

void check_range(const char* what, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) {
    throw Error(ErrorKind::kUsage,
                {.what = what, .expected = concat(low, " to ", high), .found = concat(value)});
  }
}

// For the first member: the others read its shape.
const Dataset& checked(const Dataset& dataset) {
  check_dataset(dataset, dataset.name);
  return dataset;
}

}  // namespace

Loader::Loader(const Dataset& dataset, LoaderOptions options)
    : dataset_(checked(dataset)),
      options_(std::move(options)),
      table_(options_.normalization, dataset_.images.dim(3)) {
  const int64_t size = options_.batch_size;
  check_range("batch size out of range", size, 1, INT32_MAX);
  check_range("number of prefetched batches out of range", options_.prefetch, 1, 1024);
  const int64_t smaller_side = std::min(dataset_.images.dim(1), dataset_.images.dim(2));
  check_range("padding of the augmentation out of range", options_.augmentation.pad, 0, smaller_side);
  check_range("side of the cutout out of range", options_.augmentation.cutout, 0, smaller_side);
  batches_per_epoch_ = options_.drop_last ? dataset_.size() / size : (dataset_.size() + size - 1) / size;
  if (batches_per_epoch_ == 0) {
    throw Error(ErrorKind::kUsage, {.what = "not one full batch in the data set",
                                    .where = dataset_.name,
                                    .expected = concat("a batch size up to ", dataset_.size()),
                                    .found = concat(size)});
  }
}

int64_t Loader::images_per_epoch() const {
  return std::min(batches_per_epoch_ * options_.batch_size, dataset_.size());
}

std::vector<int64_t> Loader::order(int64_t epoch) const {
  std::vector<int64_t> indices(static_cast<size_t>(dataset_.size()));
  std::iota(indices.begin(), indices.end(), 0);
  if (options_.shuffle) {
    Random(options_.seed, "shuffle").split(static_cast<uint64_t>(epoch)).shuffle(indices);
  }
  return indices;
}

Batch Loader::make_batch(std::span<const int64_t> indices, int64_t epoch) const {
  const int64_t height = dataset_.images.dim(1), width = dataset_.images.dim(2), channels = table_.channels();
  const int64_t image_size = height * width * channels;
  const Random augment = Random(options_.seed, "augment").split(static_cast<uint64_t>(epoch));
  Batch batch{
      .images = Tensor<float>::uninitialized({static_cast<int64_t>(indices.size()), height, width, channels}),
      .labels = {}};
  batch.labels.reserve(indices.size());
  float* out = batch.images.data();
  for (const int64_t index : indices) {
    Random random = augment.split(static_cast<uint64_t>(index));
    place_image(dataset_.images.data() + index * image_size, height, width,
                draw_placement(options_.augmentation, random), table_, out);
    if (options_.augmentation.cutout > 0) {
      hide_square(draw_square(options_.augmentation.cutout, height, width, random), height, width, channels,
                  out);
    }
    batch.labels.push_back(dataset_.labels[static_cast<size_t>(index)]);
    out += image_size;
  }
  return batch;
}

void Loader::start_epoch(int64_t epoch) {
  waited_before_ = seconds_waited();
  epoch_.reset();
  auto make = [this, epoch, indices = order(epoch)](int64_t number) {
    const std::span<const int64_t> all(indices);
    const auto first = static_cast<size_t>(number * options_.batch_size);
    return make_batch(
        all.subspan(first, std::min(static_cast<size_t>(options_.batch_size), all.size() - first)), epoch);
  };
  epoch_ = std::make_unique<Prefetcher<Batch>>(batches_per_epoch_, options_.prefetch, std::move(make));
}

bool Loader::next(Batch& batch) {
  if (!epoch_) {
    throw Error(ErrorKind::kUsage, {.what = "no epoch was started", .hint = "call start_epoch first"});
  }
  std::optional<Batch> made = epoch_->next();
  if (!made) return false;
  batch = std::move(*made);
  return true;
}

double Loader::seconds_waited() const { return waited_before_ + (epoch_ ? epoch_->seconds_waited() : 0.0); }

}  // namespace qlimit
