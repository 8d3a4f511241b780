#include "experiments/charts/scatter_chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/experiments/charts/color_count.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

ScatterChart noise() {
  return {.title = "Does noise tell?",
          .subtitle = "each dot a layer",
          .x_title = "SQNR, dB",
          .y_title = "lost, points",
          .groups = {{"small", kBlue}, {"large", kVermilion}},
          .panels = {{.title = "plain", .note = "rank correlation -0.7", .points = {{20, 1, 0}, {10, 5, 1}}},
                     {.title = "separable", .points = {{15, 2, 0}}}}};
}

// Dots are translucent, so that those below show.
Color dot(Color color) { return mix(kWhite, color, 0.6); }

TEST(ScatterChart, DrawsTheDotsOfEachPanel) {
  const Canvas canvas = draw_scatter_chart(noise());
  EXPECT_EQ(canvas.width(), 1600);
  EXPECT_GT(count(canvas, dot(kBlue), 0, 800), 80);
  EXPECT_GT(count(canvas, dot(kVermilion), 0, 800), 80);
  EXPECT_GT(count(canvas, dot(kBlue), 800, 1600), 80);
  EXPECT_EQ(count(canvas, dot(kVermilion), 800, 1600), 0);
}

TEST(ScatterChart, AFloorTakesZeroAndNegativeValues) {
  ScatterChart chart = noise();
  chart.y_floor = 0.05;
  chart.panels[0].points = {{20, 0, 0}, {21, -1, 0}};
  EXPECT_GT(count(draw_scatter_chart(chart), dot(kBlue)), 80);
}

TEST(ScatterChart, RefusesNonsense) {
  expect_error([] { draw_scatter_chart({.title = "empty"}); }, ErrorKind::kUsage,
               {"empty", "at least one panel"});
  ScatterChart chart = noise();
  chart.panels[1].points.clear();
  expect_error([&] { draw_scatter_chart(chart); }, ErrorKind::kUsage, {"at least one point"});
  chart = noise();
  chart.panels[0].points[0].x = NAN;
  expect_error([&] { draw_scatter_chart(chart); }, ErrorKind::kUsage, {"finite numbers"});
  chart = noise();
  chart.panels[0].points[0].group = 2;
  expect_error([&] { draw_scatter_chart(chart); }, ErrorKind::kUsage, {"a colour for each group"});
}

}  // namespace
}  // namespace qlimit
