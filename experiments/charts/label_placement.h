// Where the labels of points go so that nothing covers anything: each label tries places around its point,
// near ones first, and the whole set is improved label by label until no label wants to move (coordinate
// descent on the sum of overlaps and distances). The result is a good one, not provably the best.
#pragma once

#include <span>
#include <vector>

#include "experiments/charts/canvas.h"

namespace qlimit {

struct LabelRequest {
  Point anchor = {};  // the point that is labelled
  double width = 0;   // of the label, in pixels
  double height = 0;
  double clearance = 0;  // the least distance between anchor and label
};

/// One box a request, inside `bounds` and free of each other and of the obstacles wherever there is room.
std::vector<Box> place_labels(std::span<const LabelRequest> requests, std::span<const Box> obstacles,
                              const Box& bounds);

/// Boxes that cover a line of this width: an obstacle for labels.
std::vector<Box> boxes_along(Point from, Point to, double width);

}  // namespace qlimit
