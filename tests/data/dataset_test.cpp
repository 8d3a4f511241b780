#include "data/dataset.h"

#include <algorithm>
#include <numeric>

#include "tests/data/fixtures.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Numbers = std::vector<int64_t>;

// The running number that made_dataset hides in the first two bytes of an image.
Numbers numbers(const Dataset& dataset) {
  Numbers found;
  const int64_t image_size = dataset.images.size() / dataset.size();
  for (int64_t i = 0; i < dataset.size(); ++i) {
    found.push_back(dataset.images[i * image_size] + 256 * dataset.images[i * image_size + 1]);
  }
  return found;
}

TEST(Select, TakesImagesAndLabelsInTheGivenOrder) {
  const Dataset all = made_dataset(10, 3, 2, 3);
  const Dataset part = select(all, Numbers{9, 0, 4, 4});
  EXPECT_EQ(part.images.shape(), Shape({4, 3, 2, 3}));
  EXPECT_EQ(numbers(part), (Numbers{9, 0, 4, 4}));
  EXPECT_EQ(part.labels, (Bytes{all.labels[9], all.labels[0], all.labels[4], all.labels[4]}));
  EXPECT_EQ(part.class_names, all.class_names);
  EXPECT_EQ(part.name, all.name);
  EXPECT_TRUE(std::equal(part.images.begin(), part.images.begin() + 18, all.images.begin() + 9 * 18));
}

TEST(Select, RefusesBadIndices) {
  const Dataset all = made_dataset(10, 2, 2, 1);
  expect_error([&] { select(all, Numbers{1, 10}); }, ErrorKind::kUsage, {"0 to 9", "10"});
  expect_error([&] { select(all, Numbers{-1}); }, ErrorKind::kUsage, {"-1"});
  expect_error([&] { select(all, {}); }, ErrorKind::kUsage, {"no images"});
}

TEST(Take, GivesTheFirstOnes) {
  const Dataset all = made_dataset(10, 2, 2, 1);
  EXPECT_EQ(numbers(take(all, 3)), (Numbers{0, 1, 2}));
  EXPECT_EQ(take(all, 1000).size(), 10);
  expect_error([&] { take(all, 0); }, ErrorKind::kUsage, {"no images selected"});
}

TEST(Split, IsDisjointAndCovers) {
  const Dataset all = made_dataset(1000, 2, 2, 1);
  for (const int64_t count : {1, 100, 999}) {
    const DatasetSplit parts = split(all, count, 42);
    EXPECT_EQ(parts.validation.size(), count);
    Numbers together = numbers(parts.train), validation = numbers(parts.validation);
    EXPECT_TRUE(std::is_sorted(together.begin(), together.end()));
    EXPECT_TRUE(std::is_sorted(validation.begin(), validation.end()));
    together.insert(together.end(), validation.begin(), validation.end());
    std::sort(together.begin(), together.end());
    EXPECT_EQ(together, numbers(all));
  }
}

TEST(Split, DependsOnTheSeedAlone) {
  const Dataset all = made_dataset(1000, 2, 2, 1);
  const auto validation = [&](uint64_t seed) { return numbers(split(all, 100, seed).validation); };
  EXPECT_EQ(validation(1), validation(1));
  EXPECT_NE(validation(1), validation(2));
  // Chosen from everywhere: the mean of 100 of the numbers 0 to 999 has a standard deviation of 27.4.
  const Numbers chosen = validation(1);
  EXPECT_NEAR(std::accumulate(chosen.begin(), chosen.end(), 0.0) / 100, 499.5, 5 * 27.4);
}

TEST(Split, LeavesSomethingOnBothSides) {
  const Dataset all = made_dataset(10, 2, 2, 1);
  for (const int64_t count : {-1, 0, 10, 11}) {
    expect_error([&] { split(all, count, 42); }, ErrorKind::kUsage, {"1 to 9"});
  }
}

TEST(CheckDataset, NamesTheFirstOffender) {
  Dataset dataset = made_dataset(10, 2, 2, 1);
  check_dataset(dataset, "here");
  dataset.labels[7] = 10;
  dataset.labels[8] = 255;
  expect_error([&] { check_dataset(dataset, "here", "do this"); }, ErrorKind::kData,
               {"here, image 7", "below 10", "found 10", "do this"});
  dataset.labels.pop_back();
  expect_error([&] { check_dataset(dataset, "here"); }, ErrorKind::kData, {"here", "10 labels", "found 9"});
  expect_error([] { check_dataset(Dataset{}, "here"); }, ErrorKind::kData, {"no images"});
}

}  // namespace
}  // namespace qlimit
