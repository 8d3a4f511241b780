#include "data/augment.h"

#include <map>

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

// The recipe step by step: normalize, pad every side by `pad` zeros, cut a window out, mirror it.
std::vector<float> plain_augmentation(const Tensor<uint8_t>& image, const Normalization& normalization,
                                      int64_t pad, const Placement& placement) {
  const int64_t height = image.dim(0), width = image.dim(1), channels = image.dim(2);
  Tensor<float> padded({height + 2 * pad, width + 2 * pad, channels});
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        const auto channel = static_cast<size_t>(c);
        padded(y + pad, x + pad, c) = static_cast<float>(
            (image(y, x, c) / 255.0 - normalization.mean[channel]) / normalization.deviation[channel]);
      }
    }
  }
  std::vector<float> result;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int64_t column = placement.mirrored ? width - 1 - x : x;
      for (int64_t c = 0; c < channels; ++c) {
        result.push_back(padded(y + pad + placement.dy, column + pad + placement.dx, c));
      }
    }
  }
  return result;
}

TEST(PlaceImage, IsTheRecipeStepByStep) {
  Random random(3, "augment test");
  for (int64_t trial = 0; trial < 300; ++trial) {
    const int64_t height = 1 + random.below(9), width = 1 + random.below(9), channels = 1 + random.below(4);
    const int64_t pad = random.below(12);  // beyond the image too: nothing of it stays in sight
    const Tensor<uint8_t> image({height, width, channels},
                                random_bytes(height * width * channels, static_cast<uint64_t>(trial)));
    Normalization normalization;
    for (int64_t c = 0; c < channels; ++c) {
      normalization.mean.push_back(random.uniform());
      normalization.deviation.push_back(random.uniform(0.1, 0.5));
    }
    const Placement placement = draw_placement({.pad = pad, .flip = true}, random);
    std::vector<float> placed(static_cast<size_t>(image.size()), -100.0f);
    place_image(image.data(), height, width, placement, NormalizationTable(normalization, channels),
                placed.data());
    ASSERT_EQ(placed, plain_augmentation(image, normalization, pad, placement))
        << "trial " << trial << ": " << height << "x" << width << "x" << channels << " moved by "
        << placement.dy << "," << placement.dx;
  }
}

TEST(PlaceImage, MovesAndMirrorsByHand) {
  const Bytes image = {0, 51, 102, 153, 204, 255};  // 2x3: 0 .2 .4 / .6 .8 1
  const NormalizationTable table({}, 1);
  std::vector<float> out(6);
  place_image(image.data(), 2, 3, {.dy = 1, .dx = -1}, table, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.0f, 0.6f, 0.8f, 0.0f, 0.0f, 0.0f}));
  place_image(image.data(), 2, 3, {.dy = 1, .dx = -1, .mirrored = true}, table, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.8f, 0.6f, 0.0f, 0.0f, 0.0f, 0.0f}));
}

TEST(DrawPlacement, IsUniformOverAllPlaces) {
  const Random stream(5, "placements");
  std::map<std::tuple<int64_t, int64_t, bool>, int> counts;
  constexpr int kDraws = 36'000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    Random random = stream.split(i);
    const Placement placement = draw_placement({.pad = 1, .flip = true}, random);
    ++counts[{placement.dy, placement.dx, placement.mirrored}];
  }
  ASSERT_EQ(counts.size(), 18u);
  for (const auto& [place, count] : counts) {
    EXPECT_LE(std::abs(std::get<0>(place)), 1);
    EXPECT_LE(std::abs(std::get<1>(place)), 1);
    EXPECT_NEAR(count, kDraws / 18,
                218);  // five standard deviations of a binomial count: 5 sqrt(2000 * 17/18)
  }
}

TEST(DrawPlacement, DrawsNothingForWhatIsOff) {
  Random random(5, "placements");
  EXPECT_EQ(draw_placement({}, random), Placement{});
  EXPECT_EQ(random.state().position, 0u);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(draw_placement({.pad = 2}, random).mirrored);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(draw_placement({.flip = true}, random).dy, 0);
}

}  // namespace
}  // namespace qlimit
