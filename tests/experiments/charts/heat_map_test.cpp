#include "experiments/charts/heat_map.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/experiments/charts/color_count.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

HeatMap losses() {
  return {.title = "Where does it break?",
          .subtitle = "points",
          .x_title = "parameters",
          .y_title = "bits",
          .deepest = 60,
          .panels = {{.title = "plain",
                      .columns = {"790", "1.6k"},
                      .rows = {"8 bits", "4 bits", "2 bits"},
                      .cells = {{0.0}, {-0.2}, {5}, {.value = 2}, {60}, {}}}}};
}

TEST(HeatMap, ColorsDeepenFromZeroToTheDeepest) {
  const Canvas canvas = draw_heat_map(losses());
  EXPECT_EQ(canvas.width(), 1600);
  const auto depth = [](double value) {
    return mix(kWhite, kVermilion, std::log1p(value) / std::log1p(60.0));
  };
  EXPECT_GT(count(canvas, kVermilion), 10000);
  EXPECT_GT(count(canvas, depth(5)), 10000);
  EXPECT_GT(count(canvas, depth(2)), 10000);
  HeatMap beyond = losses();
  beyond.panels[0].cells[4].value = 900;
  EXPECT_GT(count(draw_heat_map(beyond), kVermilion), 10000);
}

TEST(HeatMap, AnEmptyCellHasAColorOfItsOwn) {
  HeatMap map = losses();
  const int empty = count(draw_heat_map(map), rgb(0xF0F1F3));
  EXPECT_GT(empty, 10000);
  map.panels[0].cells[5].value = 1;
  EXPECT_EQ(count(draw_heat_map(map), rgb(0xF0F1F3)), 0);
}

// Two framed cells that touch have the outline of a domino, not that of two squares.
TEST(HeatMap, CellsThatTouchShareAFrame) {
  HeatMap map = losses();
  for (HeatCell& cell : map.panels[0].cells) cell.value.reset();  // no letters in the cells
  const auto frame = [&](std::vector<size_t> cells) {
    HeatMap framed = map;
    for (const size_t cell : cells) framed.panels[0].cells[cell].framed = true;
    return count(draw_heat_map(framed), kInk) - count(draw_heat_map(map), kInk);
  };
  const int one = frame({0}), upright = frame({0, 2}), level = frame({0, 1}), apart = frame({0, 3});
  EXPECT_GT(one, 1000);
  EXPECT_GT(upright, one);
  EXPECT_LT(upright, 2 * one - 1000);
  EXPECT_LT(level, 2 * one - 200);
  EXPECT_GT(apart, 2 * one - 100);
}

TEST(HeatMap, PanelsMayDifferInSize) {
  HeatMap map = losses();
  map.panels.push_back({.title = "b", .columns = {"1"}, .rows = {"8 bits"}, .cells = {{60}}});
  map.panels.push_back(map.panels[0]);
  EXPECT_GT(draw_heat_map(map).height(), draw_heat_map(losses()).height() + 150);
}

TEST(HeatMap, RefusesNonsense) {
  expect_error([] { draw_heat_map({.title = "empty", .deepest = 1}); }, ErrorKind::kUsage, {"a panel"});
  HeatMap map = losses();
  map.deepest = 0;
  expect_error([&] { draw_heat_map(map); }, ErrorKind::kUsage, {"positive value of the deepest colour"});
  map = losses();
  map.panels[0].cells.pop_back();
  expect_error([&] { draw_heat_map(map); }, ErrorKind::kUsage, {"a cell for each pair"});
  map = losses();
  map.panels[0].cells[0].value = NAN;
  expect_error([&] { draw_heat_map(map); }, ErrorKind::kUsage, {"finite numbers"});
  map = losses();
  map.panels[0] = {.title = "nothing"};
  expect_error([&] { draw_heat_map(map); }, ErrorKind::kUsage, {"nothing", "1 to 16 columns"});
}

}  // namespace
}  // namespace qlimit
