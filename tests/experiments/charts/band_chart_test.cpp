#include "experiments/charts/band_chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/experiments/charts/color_count.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

BandChart two_panels() {
  return {
      .title = "What is lost?",
      .subtitle = "mean and interval",
      .x_title = "parameters",
      .y_title = "drop, points",
      .panels = {{.title = "plain",
                  .curves = {{.name = "W8A8",
                              .color = kBlue,
                              .points = {{1000, 0.2, {{0.1, 0.3}}}, {10000, 0.1, {{0.0, 0.2}}}}}}},
                 {.title = "separable",
                  .curves = {{.name = "W4A4", .color = kVermilion, .points = {{1000, 20}, {5000, 30}}}}}}};
}

TEST(BandChart, DrawsEachCurveInItsColorAndPanel) {
  const Canvas canvas = draw_band_chart(two_panels());
  EXPECT_EQ(canvas.width(), 1600);
  EXPECT_GT(count(canvas, kBlue, 0, 800), 1000);
  EXPECT_EQ(count(canvas, kBlue, 800, 1600), 0);
  EXPECT_GT(count(canvas, kVermilion, 800, 1600), 1000);
  EXPECT_EQ(count(canvas, kVermilion, 0, 800), 0);
}

TEST(BandChart, DrawsBandsWhereBothNeighboursHaveOne) {
  BandChart chart = two_panels();
  chart.shares_y = false;
  const Color band = mix(kWhite, kBlue, 0.18);
  const int with = count(draw_band_chart(chart), band);
  EXPECT_GT(with, 10000);
  chart.panels[0].curves[0].points[1].band.reset();
  EXPECT_LT(count(draw_band_chart(chart), band), 100);
}

TEST(BandChart, BandsHaveNoSeams) {
  BandChart chart = two_panels();
  chart.panels.pop_back();
  chart.panels[0].curves[0] = {.name = "", .color = kBlue, .points = {}};
  for (const double x : {1000.0, 1777.0, 3210.0, 10000.0})
    chart.panels[0].curves[0].points.push_back({x, 1, {{0, 2}}});
  const Canvas canvas = draw_band_chart(chart);
  // A row of pixels between the line and the band's edge, without grid: one colour from end to end.
  const std::array<uint8_t, 3> band = Canvas(1, 1, mix(kWhite, kBlue, 0.18)).pixel(0, 0);
  int longest = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    int run = 0;
    for (int x = 0; x < canvas.width(); ++x) {
      // The upright lines of the grid shine through the band.
      const std::array<uint8_t, 3> pixel = canvas.pixel(x, y);
      const bool inside = std::abs(pixel[2] - band[2]) < 30 && pixel[0] < pixel[2];
      run = inside ? run + 1 : 0;
      longest = std::max(longest, run);
    }
  }
  EXPECT_GT(longest, 1200);
}

TEST(BandChart, AFloorTakesZeroAndNegativeValues) {
  BandChart chart = two_panels();
  chart.y_floor = 0.05;
  chart.reference = {{1, "one point"}};
  chart.panels[0].curves[0].points = {{1000, -0.3, {{-1, 0.4}}}, {10000, 0, {{-0.1, 0.1}}}};
  EXPECT_GT(count(draw_band_chart(chart), kBlue), 1000);
}

// The mean place of the pixels that a name of the reference line changes.
Point place_of_name(BandChart chart) {
  chart.reference = {{1, "one point"}};
  const Canvas with = draw_band_chart(chart);
  chart.reference = {{1, " "}};
  const Canvas without = draw_band_chart(chart);
  Point sum;
  int count = 0;
  for (int y = 0; y < with.height(); ++y) {
    for (int x = 0; x < with.width(); ++x) {
      if (with.pixel(x, y) == without.pixel(x, y)) continue;
      sum.x += x;
      sum.y += y;
      ++count;
    }
  }
  EXPECT_GT(count, 50);
  return {sum.x / count, sum.y / count};
}

TEST(BandChart, TheNameOfTheReferenceLineGivesWayToCurves) {
  BandChart chart = two_panels();
  chart.panels.pop_back();
  chart.panels[0].curves.push_back({.name = "", .color = kGreen, .points = {{1000, 0.1}, {1'000'000, 0.1}}});
  auto& points = chart.panels[0].curves[0].points;
  points = {{1000, 10}, {1'000'000, 10}};
  const Point left = place_of_name(chart);
  EXPECT_LT(left.x, 400);
  points = {{1000, 1.05}, {10'000, 1.05}, {100'000, 10}, {1'000'000, 10}};
  const Point right = place_of_name(chart);
  EXPECT_GT(right.x, 1000);
  EXPECT_NEAR(right.y, left.y, 1);
  points = {{1000, 1.05}, {10'000, 1.05}, {100'000, 1.05}, {1'000'000, 1.05}, {1'000'001, 10}};
  EXPECT_GT(place_of_name(chart).y, left.y + 10);  // below the line
}

TEST(BandChart, TheFrontIsDrawnOnRequest) {
  BandChart chart = two_panels();
  EXPECT_EQ(count(draw_band_chart(chart), rgb(0xDADDE1)), 0);
  chart.draws_front = true;
  EXPECT_GT(count(draw_band_chart(chart), rgb(0xDADDE1)), 1000);
}

TEST(BandChart, SinglePointsConstantsAndEmptyCurvesAreDrawn) {
  BandChart chart = two_panels();
  chart.panels[0].curves[0].points.resize(1);
  chart.panels[1].curves[0].points = {{1, 5}, {2, 5}};
  chart.panels[1].curves.push_back({.name = "nothing", .color = kGreen});
  const Canvas canvas = draw_band_chart(chart);
  EXPECT_GT(count(canvas, kBlue), 50);
  EXPECT_EQ(count(canvas, kGreen), 0);
}

TEST(BandChart, RefusesNonsense) {
  expect_error([] { draw_band_chart({.title = "empty"}); }, ErrorKind::kUsage,
               {"empty", "at least one panel"});
  BandChart chart = two_panels();
  chart.panels[1].curves[0].points.clear();
  expect_error([&] { draw_band_chart(chart); }, ErrorKind::kUsage, {"at least one point"});
  chart = two_panels();
  chart.panels[0].curves[0].points[0].x = 0;
  expect_error([&] { draw_band_chart(chart); }, ErrorKind::kUsage, {"x positive and rising"});
  chart = two_panels();
  chart.panels[0].curves[0].points[1].x = 1000;  // does not rise
  expect_error([&] { draw_band_chart(chart); }, ErrorKind::kUsage, {"x positive and rising"});
  chart = two_panels();
  chart.panels[0].curves[0].points[1].y = NAN;
  expect_error([&] { draw_band_chart(chart); }, ErrorKind::kUsage, {"finite numbers"});
  chart = two_panels();
  chart.panels[0].curves[0].points[1].band->high = INFINITY;
  expect_error([&] { draw_band_chart(chart); }, ErrorKind::kUsage, {"finite numbers"});
}

}  // namespace
}  // namespace qlimit
