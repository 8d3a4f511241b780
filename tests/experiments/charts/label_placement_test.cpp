#include "experiments/charts/label_placement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qlimit {
namespace {

constexpr Box kBounds = {0, 0, 1400, 600};

// No label covers another one or an obstacle, none leaves the bounds, each keeps its size.
void expect_clear(const std::vector<LabelRequest>& requests, const std::vector<Box>& obstacles) {
  const std::vector<Box> boxes = place_labels(requests, obstacles, kBounds);
  ASSERT_EQ(boxes.size(), requests.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_NEAR(boxes[i].width(), requests[i].width, 1e-9);
    EXPECT_NEAR(boxes[i].height(), requests[i].height, 1e-9);
    EXPECT_TRUE(kBounds.expanded(1e-9).contains(boxes[i])) << i;
    for (size_t j = 0; j < i; ++j) EXPECT_EQ(boxes[i].overlap(boxes[j]), 0) << i << " " << j;
    for (const Box& obstacle : obstacles) EXPECT_EQ(boxes[i].overlap(obstacle), 0) << i;
  }
}

LabelRequest label_at(double x, double y) {
  return {.anchor = {x, y}, .width = 250, .height = 80, .clearance = 22};
}

std::vector<Box> markers_of(const std::vector<LabelRequest>& requests) {
  std::vector<Box> markers;
  for (const LabelRequest& r : requests) {
    markers.push_back(Box{r.anchor.x, r.anchor.y, r.anchor.x, r.anchor.y}.expanded(14));
  }
  return markers;
}

TEST(LabelPlacement, ALonelyLabelStaysBesideItsPoint) {
  const std::vector<Box> boxes = place_labels(std::vector<LabelRequest>{label_at(700, 300)}, {}, kBounds);
  const double x = std::clamp(700.0, boxes[0].left, boxes[0].right);
  const double y = std::clamp(300.0, boxes[0].top, boxes[0].bottom);
  EXPECT_LE(std::hypot(x - 700, y - 300), 23);
}

TEST(LabelPlacement, PointsInAllCornersKeepTheirLabelsInside) {
  const std::vector<LabelRequest> requests = {label_at(0, 0), label_at(1400, 0), label_at(0, 600),
                                              label_at(1400, 600)};
  expect_clear(requests, markers_of(requests));
}

TEST(LabelPlacement, SixPointsAtTheSamePlace) {
  const std::vector<LabelRequest> requests(6, label_at(700, 300));
  expect_clear(requests, markers_of(requests));
}

TEST(LabelPlacement, TwelvePointsInARowCloserThanTheirLabels) {
  std::vector<LabelRequest> requests;
  for (int i = 0; i < 12; ++i) requests.push_back(label_at(500 + 30 * i, 300));
  expect_clear(requests, markers_of(requests));
}

TEST(LabelPlacement, KeepsOffALongSlantedLine) {
  const std::vector<LabelRequest> requests = {label_at(400, 200), label_at(800, 400)};
  std::vector<Box> obstacles = markers_of(requests);
  for (const Box& box : boxes_along({0, 0}, {1400, 700}, 12)) obstacles.push_back(box);
  expect_clear(requests, obstacles);
}

TEST(LabelPlacement, WithoutRoomEveryLabelStillGetsAPlace) {
  const std::vector<LabelRequest> requests(40, label_at(100, 100));
  for (const Box& box : place_labels(requests, {}, {0, 0, 300, 200})) {
    EXPECT_TRUE(std::isfinite(box.left) && box.width() > 0);
  }
}

TEST(BoxesAlong, CoverTheLineWithoutGaps) {
  const std::vector<Box> boxes = boxes_along({10, 20}, {210, 120}, 8);
  for (int k = 0; k <= 100; ++k) {
    const Point p = {10 + 2.0 * k, 20 + 1.0 * k};
    const bool covered = std::any_of(boxes.begin(), boxes.end(), [&](const Box& box) {
      return box.contains({p.x, p.y, p.x, p.y});
    });
    EXPECT_TRUE(covered) << k;
  }
}

}  // namespace
}  // namespace qlimit
