#include "data/normalize.h"

#include <cmath>

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

TEST(ChannelStatistics, OfThreePixelsByHand) {
  // Channel 0: 0, 51, 255 (that is 0, 0.2, 1): mean 0.4, variance (0.16 + 0.04 + 0.36) / 3. Channel 1: always
  // 255.
  const Dataset dataset{.images = Tensor<uint8_t>({3, 1, 1, 2}, {0, 255, 51, 255, 255, 255}),
                        .labels = {0, 0, 0},
                        .class_names = {"only"},
                        .name = "made"};
  const Normalization found = channel_statistics(dataset);
  ASSERT_EQ(found.mean.size(), 2u);
  EXPECT_NEAR(found.mean[0], 0.4, 1e-15);
  EXPECT_NEAR(found.deviation[0], std::sqrt(0.56 / 3), 1e-15);
  EXPECT_EQ(found.mean[1], 1.0);
  EXPECT_EQ(found.deviation[1], 0.0);
}

TEST(ChannelStatistics, AgreeWithTheDefinition) {
  const Dataset dataset = made_dataset(100, 7, 5, 3);
  const Normalization found = channel_statistics(dataset);
  for (int64_t c = 0; c < 3; ++c) {
    const double count = 100 * 7 * 5;
    double mean = 0, variance = 0;
    for (int64_t i = c; i < dataset.images.size(); i += 3) mean += dataset.images[i] / 255.0 / count;
    for (int64_t i = c; i < dataset.images.size(); i += 3) {
      variance += std::pow(dataset.images[i] / 255.0 - mean, 2) / count;
    }
    EXPECT_NEAR(found.mean[static_cast<size_t>(c)], mean, 1e-12);
    EXPECT_NEAR(found.deviation[static_cast<size_t>(c)], std::sqrt(variance), 1e-12);
  }
}

TEST(NormalizationTable, IsTheFormula) {
  const NormalizationTable table({.mean = {0.5, 0.1}, .deviation = {0.25, 2.0}}, 2);
  EXPECT_EQ(table.channels(), 2);
  EXPECT_FLOAT_EQ(table.row(0)[0], -2.0f);
  EXPECT_FLOAT_EQ(table.row(0)[255], 2.0f);
  EXPECT_FLOAT_EQ(table.row(1)[51], 0.05f);
  const NormalizationTable plain({}, 1);
  EXPECT_EQ(plain.row(0)[0], 0.0f);
  EXPECT_EQ(plain.row(0)[51], 0.2f);
  EXPECT_EQ(plain.row(0)[255], 1.0f);
}

TEST(NormalizationTable, RefusesWhatDoesNotFit) {
  const auto make = [](Normalization normalization) { return [=] { NormalizationTable(normalization, 3); }; };
  expect_error(make({.mean = {0}, .deviation = {1}}), ErrorKind::kUsage,
               {"one per channel", "found 1 and 1"});
  expect_error(make({.mean = {0, 0, 0}, .deviation = {}}), ErrorKind::kUsage, {"found 3 and 0"});
  expect_error(make({.mean = {0, 0, 0}, .deviation = {1, 0, 1}}), ErrorKind::kUsage, {"channel 1"});
  expect_error(make({.mean = {0, 0, NAN}, .deviation = {1, 1, 1}}), ErrorKind::kUsage, {"channel 2"});
  expect_error(make({.mean = {0, 0, 0}, .deviation = {INFINITY, 1, 1}}), ErrorKind::kUsage, {"channel 0"});
}

}  // namespace
}  // namespace qlimit
