#include "experiments/charts/dot_chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/experiments/charts/color_count.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

DotChart remedies() {
  return {.title = "What is recovered?",
          .subtitle = "share of the drop",
          .x_title = "recovered, %",
          .shown = {-50, 100},
          .references = {0, 100},
          .groups = {{"small", kBlue}, {"large", kVermilion}},
          .panels = {"plain", "separable"},
          .rows = {{.name = "bias", .panels = {{{0, 40, {{30, 50}}}, {1, 60, {}}}, {}}},
                   {.name = "mse", .panels = {{{0, 10, {{-70, 130}}}}, {{0, 20, {}}}}}}};
}

// Pixels of a group beyond those of the legend.
int drawn(const DotChart& chart, Color color) {
  DotChart empty = chart;
  for (DotRow& row : empty.rows)
    for (std::vector<Dot>& dots : row.panels) dots.clear();
  return count(draw_dot_chart(chart), color) - count(draw_dot_chart(empty), color);
}

TEST(DotChart, DrawsADotForEachFigure) {
  EXPECT_EQ(draw_dot_chart(remedies()).width(), 1600);
  EXPECT_GT(drawn(remedies(), kBlue), 3 * 120);
  EXPECT_GT(drawn(remedies(), kVermilion), 120);
}

TEST(DotChart, GrowsWithItsRows) {
  DotChart chart = remedies();
  const int height = draw_dot_chart(chart).height();
  chart.rows.push_back(chart.rows[0]);
  EXPECT_GT(draw_dot_chart(chart).height(), height + 50);
}

TEST(DotChart, FiguresBeyondTheEdgeAreShownThere) {
  DotChart chart = remedies();
  chart.rows.resize(1);
  chart.rows[0].panels[0] = {{1, -4000, {{-5000, -3000}}}};
  EXPECT_GT(drawn(chart, kVermilion), 60);
}

TEST(DotChart, AnIntervalThatGoesOnBeyondTheEdgeHasAnArrowThere) {
  DotChart chart = remedies();
  chart.rows[1].panels[0] = {{0, 10, {{-50, 100}}}};  // ends just there
  const int whole = drawn(chart, kBlue);
  chart.rows[1].panels[0] = {{0, 10, {{-70, 100}}}};
  const int left = drawn(chart, kBlue);
  chart.rows[1].panels[0] = {{0, 10, {{-70, 130}}}};
  EXPECT_GT(left, whole + 15);
  EXPECT_GT(drawn(chart, kBlue), left + 15);
}

TEST(DotChart, RefusesNonsense) {
  expect_error([] { draw_dot_chart({.title = "empty"}); }, ErrorKind::kUsage, {"empty", "at least one row"});
  DotChart chart = remedies();
  chart.rows[0].panels.pop_back();
  expect_error([&] { draw_dot_chart(chart); }, ErrorKind::kUsage, {"the dots of each panel"});
  chart = remedies();
  chart.rows[0].panels[0][0].value = NAN;
  expect_error([&] { draw_dot_chart(chart); }, ErrorKind::kUsage, {"finite numbers"});
  chart = remedies();
  chart.rows[0].panels[0][0].group = 2;
  expect_error([&] { draw_dot_chart(chart); }, ErrorKind::kUsage, {"a name for each group"});
  chart = remedies();
  chart.shown = {100, -50};
  expect_error([&] { draw_dot_chart(chart); }, ErrorKind::kUsage, {"cannot show this range", "[100, -50]"});
}

}  // namespace
}  // namespace qlimit
