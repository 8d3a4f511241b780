#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>

#include "core/parallel.h"
#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

using Numbers = std::vector<int64_t>;

/// All that an epoch delivers, batch by batch and in one row.
struct Epoch {
  Numbers sizes;
  std::vector<float> pixels;
  std::vector<uint8_t> labels;

  bool operator==(const Epoch&) const = default;
};

Epoch run_epoch(Loader& loader, int64_t epoch) {
  Epoch result;
  loader.start_epoch(epoch);
  for (Batch batch; loader.next(batch);) {
    EXPECT_EQ(batch.images.dim(0), batch.size());
    result.sizes.push_back(batch.size());
    result.pixels.insert(result.pixels.end(), batch.images.begin(), batch.images.end());
    result.labels.insert(result.labels.end(), batch.labels.begin(), batch.labels.end());
  }
  return result;
}

Epoch run_epoch(const Dataset& dataset, const LoaderOptions& options, int64_t epoch) {
  Loader loader(dataset, options);
  return run_epoch(loader, epoch);
}

// The numbers that made_dataset hides in the first two bytes of each image, in the order of delivery.
Numbers numbers(const Epoch& epoch, int64_t image_size) {
  Numbers found;
  for (size_t at = 0; at < epoch.pixels.size(); at += static_cast<size_t>(image_size)) {
    found.push_back(std::lround(255 * epoch.pixels[at]) + 256 * std::lround(255 * epoch.pixels[at + 1]));
  }
  return found;
}

Numbers count_up(int64_t count) {
  Numbers all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

const LoaderOptions kTraining = {.batch_size = 32,
                                 .shuffle = true,
                                 .augmentation = {.pad = 2, .flip = true},
                                 .normalization = {.mean = {0.1, 0.5, 0.9}, .deviation = {0.2, 0.3, 0.4}}};

TEST(Loader, DeliversEveryImageOnceAnEpoch) {
  const Dataset dataset = made_dataset(1003, 2, 2, 1);
  Loader loader(dataset, {.batch_size = 10, .shuffle = true});
  std::set<Numbers> orders;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    const Epoch delivered = run_epoch(loader, epoch);
    Numbers order = numbers(delivered, 4);
    for (size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(delivered.labels[i], dataset.labels[static_cast<size_t>(order[i])]);
    }
    EXPECT_TRUE(orders.insert(order).second) << "epoch " << epoch << " has the order of an earlier one";
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, count_up(1003));
  }
}

TEST(Loader, KeepsTheOrderForEvaluation) {
  const Dataset dataset = made_dataset(25, 2, 3, 1);
  Loader loader(dataset, {.batch_size = 10});
  EXPECT_EQ(loader.batches_per_epoch(), 3);
  EXPECT_EQ(loader.images_per_epoch(), 25);
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    const Epoch delivered = run_epoch(loader, epoch);
    EXPECT_EQ(delivered.sizes, (Numbers{10, 10, 5}));
    EXPECT_EQ(delivered.labels, dataset.labels);
    ASSERT_EQ(delivered.pixels.size(), static_cast<size_t>(dataset.images.size()));
    for (int64_t i = 0; i < dataset.images.size(); ++i) {
      ASSERT_EQ(delivered.pixels[static_cast<size_t>(i)], static_cast<float>(dataset.images[i] / 255.0));
    }
  }
}

TEST(Loader, GivesBatchesTheShapeOfTheImages) {
  Loader loader(made_dataset(7, 5, 3, 2), {.batch_size = 4});
  loader.start_epoch(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_EQ(batch.images.shape(), Shape({4, 5, 3, 2}));
  ASSERT_TRUE(loader.next(batch));
  EXPECT_EQ(batch.images.shape(), Shape({3, 5, 3, 2}));
  EXPECT_FALSE(loader.next(batch));
}

TEST(Loader, LeavesOutALastBatchThatIsNotFull) {
  Loader loader(made_dataset(25, 2, 2, 1), {.batch_size = 10, .drop_last = true});
  EXPECT_EQ(loader.batches_per_epoch(), 2);
  EXPECT_EQ(loader.images_per_epoch(), 20);
  EXPECT_EQ(run_epoch(loader, 0).sizes, (Numbers{10, 10}));
}

TEST(Loader, TakesAllImagesInOneBatch) {
  for (const int64_t size : {25, 26, 1'000'000}) {
    Loader loader(made_dataset(25, 2, 2, 1), {.batch_size = size});
    EXPECT_EQ(run_epoch(loader, 0).sizes, (Numbers{25}));
  }
}

TEST(Loader, DependsOnSeedAndEpochAlone) {
  const Dataset dataset = made_dataset(200, 6, 5, 3);
  const Epoch expected = run_epoch(dataset, kTraining, 3);

  Loader another(dataset, kTraining);
  run_epoch(another, 0);
  EXPECT_EQ(run_epoch(another, 3), expected) << "after another epoch";

  LoaderOptions other_seed = kTraining;
  other_seed.seed = 43;
  EXPECT_NE(run_epoch(dataset, other_seed, 3).labels, expected.labels);
  EXPECT_NE(run_epoch(dataset, kTraining, 4).labels, expected.labels);
}

TEST(Loader, AugmentsEveryEpochAndSeedAnew) {
  const Dataset dataset = made_dataset(50, 6, 5, 3);
  LoaderOptions options = kTraining;
  options.shuffle = false;
  const Epoch first = run_epoch(dataset, options, 0);
  const Epoch second = run_epoch(dataset, options, 1);
  EXPECT_EQ(first.labels, second.labels);
  EXPECT_NE(first.pixels, second.pixels);
  options.seed = 43;
  EXPECT_NE(first.pixels, run_epoch(dataset, options, 0).pixels);
}

TEST(Loader, DoesNotDependOnPrefetchThreadsOrBatchSize) {
  const Dataset dataset = made_dataset(200, 6, 5, 3);
  const Epoch expected = run_epoch(dataset, kTraining, 1);
  LoaderOptions options = kTraining;
  for (const int64_t prefetch : {1, 2, 50}) {
    options.prefetch = prefetch;
    EXPECT_EQ(run_epoch(dataset, options, 1), expected) << "prefetch " << prefetch;
  }
  const int threads = thread_count();
  for (const int count : {1, 4}) {
    set_thread_count(count);
    EXPECT_EQ(run_epoch(dataset, kTraining, 1), expected) << count << " threads";
  }
  set_thread_count(threads);
  options.batch_size = 7;
  const Epoch cut_otherwise = run_epoch(dataset, options, 1);
  EXPECT_EQ(cut_otherwise.pixels, expected.pixels);
  EXPECT_EQ(cut_otherwise.labels, expected.labels);
}

TEST(Loader, DoesNotDependOnWhenBatchesAreTaken) {
  const Dataset dataset = made_dataset(200, 6, 5, 3);
  const Epoch expected = run_epoch(dataset, kTraining, 1);
  Loader loader(dataset, kTraining);
  loader.start_epoch(1);
  std::vector<Batch> kept;  // none may be written to while it is held
  for (Batch batch; loader.next(batch);) {
    kept.push_back(batch);
    std::this_thread::sleep_for(std::chrono::milliseconds(kept.size() % 3));
  }
  std::vector<float> pixels;
  for (const Batch& batch : kept) pixels.insert(pixels.end(), batch.images.begin(), batch.images.end());
  EXPECT_EQ(pixels, expected.pixels);
}

// The documented streams: whoever knows seed, epoch and index can say what happens to an image.
TEST(Loader, AugmentsAnImageByItsOwnStream) {
  const Dataset dataset = made_dataset(40, 6, 5, 3);
  LoaderOptions options = kTraining;
  options.shuffle = false;
  const Epoch delivered = run_epoch(dataset, options, 9);
  const NormalizationTable table(options.normalization, 3);
  std::set<int64_t> shifts;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    Random random = Random(options.seed, "augment").split(9).split(static_cast<uint64_t>(i));
    const Placement placement = draw_placement(options.augmentation, random);
    shifts.insert(placement.dx);
    std::vector<float> expected(90);
    place_image(dataset.images.data() + i * 90, 6, 5, placement, table, expected.data());
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), delivered.pixels.begin() + i * 90))
        << "image " << i;
  }
  EXPECT_EQ(shifts.size(), 5u);
}

TEST(Loader, MayBeAbandonedAndStartedAgain) {
  const Dataset dataset = made_dataset(500, 6, 5, 3);
  const Epoch expected = run_epoch(dataset, kTraining, 1);
  Loader loader(dataset, kTraining);
  for (int64_t taken = 0; taken < 6; ++taken) {
    loader.start_epoch(taken);
    Batch batch;
    for (int64_t i = 0; i < taken; ++i) ASSERT_TRUE(loader.next(batch));
  }
  EXPECT_EQ(run_epoch(loader, 1), expected);
  loader.start_epoch(2);  // and is destroyed in the middle of it
}

TEST(Loader, OutlivesTheCallersDataset) {
  auto dataset = std::make_unique<Dataset>(made_dataset(100, 2, 2, 1));
  Loader loader(*dataset, {.batch_size = 10});
  dataset.reset();
  EXPECT_EQ(numbers(run_epoch(loader, 0), 4), count_up(100));
}

TEST(Loader, AddsUpTheWaiting) {
  Loader loader(made_dataset(500, 6, 5, 3), kTraining);
  EXPECT_EQ(loader.seconds_waited(), 0.0);
  double before = 0;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    run_epoch(loader, epoch);
    EXPECT_GE(loader.seconds_waited(), before);
    before = loader.seconds_waited();
  }
  loader.start_epoch(3);
  EXPECT_GE(loader.seconds_waited(), before) << "an epoch's waiting was forgotten";
}

TEST(Loader, HoldsAFewBatchesAtATimeAndGivesThemBack) {
  const Dataset dataset = made_dataset(640, 6, 5, 3);
  const int64_t before = memory_statistics().bytes_in_use;
  {
    Loader loader(dataset, kTraining);
    loader.start_epoch(0);
    for (Batch batch; loader.next(batch);) {
      // Three wait, one is being made, one is in use; the allocator may round each up by an eighth.
      EXPECT_LE(memory_statistics().bytes_in_use - before, 5 * (32 * 90 * 4) * 9 / 8);
    }
    loader.start_epoch(1);
  }
  EXPECT_EQ(memory_statistics().bytes_in_use, before);
}

TEST(Loader, RefusesBadOptions) {
  const Dataset dataset = made_dataset(10, 4, 6, 3);
  const auto make = [&](LoaderOptions options) { return [&dataset, options] { Loader(dataset, options); }; };
  expect_error(make({.batch_size = 0}), ErrorKind::kUsage, {"batch size", "found 0"});
  expect_error(make({.batch_size = -5}), ErrorKind::kUsage, {"batch size", "found -5"});
  expect_error(make({.prefetch = 0}), ErrorKind::kUsage, {"prefetched", "found 0"});
  expect_error(make({.augmentation = {.pad = 5}}), ErrorKind::kUsage, {"padding", "0 to 4", "found 5"});
  expect_error(make({.augmentation = {.pad = -1}}), ErrorKind::kUsage, {"padding", "found -1"});
  expect_error(make({.normalization = {.mean = {0}, .deviation = {1}}}), ErrorKind::kUsage, {"3 means"});
  expect_error(make({.batch_size = 11, .drop_last = true}), ErrorKind::kUsage, {"up to 10", "found 11"});
  expect_error([] { Loader(Dataset{}, {}); }, ErrorKind::kData, {"no images"});
  expect_error(
      [&] {
        Batch batch;
        Loader(dataset, {}).next(batch);
      },
      ErrorKind::kUsage, {"start_epoch"});
}

}  // namespace
}  // namespace qlimit
