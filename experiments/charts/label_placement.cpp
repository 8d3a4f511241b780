#include "experiments/charts/label_placement.h"

#include <algorithm>
#include <cmath>

namespace qlimit {
namespace {

constexpr double kStep = 12;      // between neighbouring places
constexpr int kStepsBeyond = 12;  // how far around the point, in steps
constexpr int kMaxRounds = 20;
constexpr double kMargin = 5;            // of air around a label
constexpr double kCostOfOverlap = 1000;  // for a square pixel, against 1 for a pixel of distance

struct Candidate {
  Box box;
  double cost;  // of the place itself
};

// Where a label of the given size may begin along one axis: from well before the point to well behind it, and
// among them the places that just touch the clearance and the centred one.
std::vector<double> starts(double anchor, double size, double clearance) {
  const double before = anchor - clearance - size, reach = size + 2 * clearance;
  const int steps = 2 * static_cast<int>(std::ceil(reach / (2 * kStep)));
  std::vector<double> values;
  for (int k = -kStepsBeyond; k <= steps + kStepsBeyond; ++k) values.push_back(before + k * reach / steps);
  return values;
}

double distance_to(const Box& box, Point p) {
  return std::hypot(p.x - std::clamp(p.x, box.left, box.right), p.y - std::clamp(p.y, box.top, box.bottom));
}

double area_outside(const Box& box, const Box& bounds) {
  return box.width() * box.height() - box.overlap(bounds);
}

double overlap_with(const Box& box, std::span<const Box> others) {
  double sum = 0;
  for (const Box& other : others) sum += box.overlap(other);
  return sum;
}

std::vector<Candidate> candidates_of(const LabelRequest& request, std::span<const Box> obstacles,
                                     const Box& bounds) {
  const Point anchor = request.anchor;
  std::vector<Candidate> candidates;
  const auto consider = [&](double left, double top) {
    const Box box = {left, top, left + request.width, top + request.height};
    const double distance = distance_to(box, anchor);
    if (distance < request.clearance) return;
    // Among places equally near, one that is level with the point reads best.
    const double skew =
        0.1 * std::abs(box.center().y - anchor.y) + 0.02 * std::abs(box.center().x - anchor.x);
    const double covered = overlap_with(box.expanded(kMargin), obstacles) + area_outside(box, bounds);
    candidates.push_back({box, distance + skew + kCostOfOverlap * covered});
  };
  const std::vector<double> tops = starts(anchor.y, request.height, request.clearance);
  for (const double left : starts(anchor.x, request.width, request.clearance)) {
    for (const double top : tops) consider(left, top);
  }
  // Far places, for a crowd: a grid over everything.
  const double step_x = std::max(request.width / 2, 20.0), step_y = std::max(request.height / 2, 10.0);
  for (double top = bounds.top; top + request.height <= bounds.bottom; top += step_y) {
    for (double left = bounds.left; left + request.width <= bounds.right; left += step_x) consider(left, top);
  }
  return candidates;
}

}  // namespace

std::vector<Box> place_labels(std::span<const LabelRequest> requests, std::span<const Box> obstacles,
                              const Box& bounds) {
  std::vector<std::vector<Candidate>> candidates;
  for (const LabelRequest& request : requests)
    candidates.push_back(candidates_of(request, obstacles, bounds));

  // Labels not placed yet take no room: an empty box.
  std::vector<Box> boxes(requests.size());
  bool moved = true;
  for (int round = 0; round < kMaxRounds && moved; ++round) {
    moved = false;
    for (size_t i = 0; i < requests.size(); ++i) {
      double lowest = INFINITY;
      const Box before = boxes[i];
      Box best = before;
      boxes[i] = {};
      for (const Candidate& candidate : candidates[i]) {
        if (candidate.cost >= lowest) continue;
        const double cost =
            candidate.cost + kCostOfOverlap * overlap_with(candidate.box.expanded(kMargin), boxes);
        if (cost < lowest) {
          lowest = cost;
          best = candidate.box;
        }
      }
      moved = moved || best.left != before.left || best.top != before.top;
      boxes[i] = best;
    }
  }
  return boxes;
}

std::vector<Box> boxes_along(Point from, Point to, double width) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const int steps = std::max(1, static_cast<int>(length / std::max(width, 1.0)));
  std::vector<Box> boxes;
  for (int k = 0; k <= steps; ++k) {
    const double t = static_cast<double>(k) / steps;
    const Point p = {from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)};
    boxes.push_back(Box{p.x, p.y, p.x, p.y}.expanded(width / 2));
  }
  return boxes;
}

}  // namespace qlimit
