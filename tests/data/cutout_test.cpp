#include "data/cutout.h"

#include <algorithm>
#include <map>

#include "data/loader.h"
#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

// How many pixels of an image of ones the square hides; each must lose all its channels.
int64_t hidden_pixels(const Square& square, int64_t height, int64_t width, int64_t channels) {
  std::vector<float> image(static_cast<size_t>(height * width * channels), 1.0f);
  hide_square(square, height, width, channels, image.data());
  int64_t hidden = 0;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const bool inside = y >= square.top && y < square.top + square.side && x >= square.left &&
                          x < square.left + square.side;
      hidden += inside;
      for (int64_t c = 0; c < channels; ++c)
        EXPECT_EQ(image[static_cast<size_t>((y * width + x) * channels + c)], inside ? 0.0f : 1.0f)
            << y << "," << x << "," << c;
    }
  }
  return hidden;
}

TEST(HideSquare, HidesItsPixelsAndNoOthers) {
  EXPECT_EQ(hidden_pixels({.top = 1, .left = 2, .side = 3}, 6, 7, 3), 9);
  EXPECT_EQ(hidden_pixels({.top = -2, .left = 5, .side = 4}, 6, 7, 1), 4);  // over the upper right corner
  EXPECT_EQ(hidden_pixels({.top = 4, .left = -1, .side = 3}, 6, 7, 2), 4);  // over the lower left one
  EXPECT_EQ(hidden_pixels({.top = -9, .left = 0, .side = 3}, 6, 7, 1), 0);  // out of sight
  EXPECT_EQ(hidden_pixels({.top = 0, .left = 12, .side = 3}, 6, 7, 1), 0);
  EXPECT_EQ(hidden_pixels({.top = -1, .left = -1, .side = 20}, 6, 7, 4), 42);  // all of it
}

TEST(DrawSquare, CentresAreUniform) {
  const Random stream(5, "squares");
  constexpr int kDraws = 24'000;
  std::map<std::pair<int64_t, int64_t>, int> counts;
  for (uint64_t i = 0; i < kDraws; ++i) {
    Random random = stream.split(i);
    const Square square = draw_square(4, 3, 4, random);
    EXPECT_EQ(square.side, 4);
    ++counts[{square.top + 2, square.left + 2}];
  }
  ASSERT_EQ(counts.size(), 12u);
  for (const auto& [centre, count] : counts) {
    EXPECT_TRUE(centre.first >= 0 && centre.first < 3 && centre.second >= 0 && centre.second < 4);
    EXPECT_NEAR(count, 2000, 214);  // five standard deviations: 5 sqrt(2000 * 11/12)
  }
}

// A square of side s with its centre anywhere hides, along one axis of n pixels, on average
// s - (s/2 (s/2 + 1) + s/2 (s/2 - 1)) / (2 n) = s - s^2 / (4 n) of them; both axes are independent.
TEST(Cutout, HidesTheExpectedShareOfPixels) {
  const Dataset ones{.images = Tensor<uint8_t>::full({400, 32, 32, 3}, 255),
                     .labels = std::vector<uint8_t>(400),
                     .class_names = {"one"},
                     .name = "ones"};
  Loader loader(ones, {.batch_size = 400, .augmentation = {.cutout = 16}});
  loader.start_epoch(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  const auto hidden = static_cast<double>(std::count(batch.images.begin(), batch.images.end(), 0.0f));
  const double along_an_axis = 16 - 16.0 * 16 / (4 * 32);
  // Along an axis between 8 and 16 pixels are hidden, so one image's share deviates by less than 0.06.
  EXPECT_NEAR(hidden / static_cast<double>(batch.images.size()), along_an_axis * along_an_axis / (32 * 32),
              5 * 0.06 / 20);
}

TEST(Cutout, IsTheSameInEachRunAndAnotherInEachEpoch) {
  const Dataset ones{.images = Tensor<uint8_t>::full({20, 16, 16, 1}, 255),
                     .labels = std::vector<uint8_t>(20),
                     .class_names = {"one"},
                     .name = "ones"};
  const auto epoch = [&](int64_t number) {
    Loader loader(ones, {.batch_size = 20, .augmentation = {.cutout = 5}});
    loader.start_epoch(number);
    Batch batch;
    loader.next(batch);
    return std::vector<float>(batch.images.begin(), batch.images.end());
  };
  EXPECT_EQ(epoch(3), epoch(3));
  EXPECT_NE(epoch(3), epoch(4));
}

// Crops and flips are drawn first: switching cutout on does not move them.
TEST(Cutout, LeavesPlacementsAlone) {
  const Tensor<uint8_t> pixels({30, 12, 12, 1}, random_bytes(30 * 12 * 12));
  const Dataset data{
      .images = pixels, .labels = std::vector<uint8_t>(30), .class_names = {"one"}, .name = "noise"};
  const auto images = [&](int64_t cutout) {
    Loader loader(data, {.batch_size = 30, .augmentation = {.pad = 2, .flip = true, .cutout = cutout}});
    loader.start_epoch(0);
    Batch batch;
    loader.next(batch);
    return batch.images;
  };
  const Tensor<float> whole = images(0), cut = images(3);
  int64_t changed = 0;
  for (int64_t i = 0; i < whole.size(); ++i) {
    if (cut[i] == whole[i]) continue;
    EXPECT_EQ(cut[i], 0.0f);
    ++changed;
  }
  EXPECT_GT(changed, 30 * 3);
}

TEST(Cutout, SquaresBeyondTheImageAreRefused) {
  const Dataset data{
      .images = Tensor<uint8_t>({1, 8, 6, 1}), .labels = {0}, .class_names = {"one"}, .name = "a"};
  EXPECT_NO_THROW(Loader(data, {.augmentation = {.cutout = 6}}));
  expect_error([&] { Loader(data, {.augmentation = {.cutout = 7}}); }, ErrorKind::kUsage,
               {"cutout", "0 to 6", "7"});
  expect_error([&] { Loader(data, {.augmentation = {.cutout = -1}}); }, ErrorKind::kUsage, {"cutout", "-1"});
}

}  // namespace
}  // namespace qlimit
