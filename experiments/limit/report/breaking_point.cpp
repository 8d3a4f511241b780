#include "experiments/limit/report/breaking_point.h"

#include <algorithm>

#include "core/error.h"
#include "quant/affine.h"

namespace qlimit {
namespace {

// Both one-sided bounds are the ends of the two-sided interval that leaves 5 % at each side.
Interval bounds(const std::vector<double>& values) {
  return student_interval(values, 1 - 2 * (1 - kConfidence));
}

}  // namespace

bool surely_exceeds(const std::vector<double>& values, double limit) { return bounds(values).low > limit; }

bool possibly_exceeds(const std::vector<double>& values, double limit) { return bounds(values).high > limit; }

std::optional<BreakingPoint> breaking_point(const std::map<int, std::vector<double>>& drops, double limit) {
  std::optional<BreakingPoint> point;
  for (const auto& [bits, values] : drops) {  // from the narrowest to the widest
    if (values.size() < 2) continue;
    if (!point) point = BreakingPoint{.narrowest = bits, .seeds = values.size()};
    point->widest = bits;
    point->seeds = std::min(point->seeds, values.size());
    if (surely_exceeds(values, limit)) point->surely = bits;
    if (possibly_exceeds(values, limit)) point->possibly = bits;
  }
  return point;
}

std::string to_text(const std::optional<BreakingPoint>& point) {
  if (!point) return "";
  const std::string surely = point->surely ? concat(*point->surely) : concat("below ", point->narrowest);
  const std::string text =
      point->possibly == point->surely ? surely : concat(surely, " ... ", *point->possibly);
  const bool ends_open = point->possibly == point->widest && point->widest < kMostBits;
  return ends_open ? text + " or more" : text;
}

std::string_view ladder_name(Ladder ladder) {
  switch (ladder) {
    case Ladder::kBoth:
      return "weights and activations";
    case Ladder::kWeights:
      return "weights";
    case Ladder::kActivations:
      return "activations";
  }
  return "";
}

BitWidths ladder_widths(Ladder ladder, int bits) {
  return {.weights = ladder == Ladder::kActivations ? kMostBits : bits,
          .activations = ladder == Ladder::kWeights ? kMostBits : bits};
}

bool has_ladder(const StudySummary& summary, const std::string& method, Ladder ladder) {
  const std::set<BitWidths, std::greater<>> points = summary.points(method);
  size_t narrow = 0;
  for (int bits = kLeastBits; bits < kMostBits; ++bits) narrow += points.count(ladder_widths(ladder, bits));
  return narrow >= 2;
}

std::optional<BreakingPoint> breaking_point(const StudySummary& summary, const NetSize& net,
                                            const std::string& method, Ladder ladder) {
  std::map<int, std::vector<double>> drops;
  for (int bits = kLeastBits; bits <= kMostBits; ++bits)
    drops[bits] = values(summary.drop(net, method, ladder_widths(ladder, bits)));
  return breaking_point(drops);
}

}  // namespace qlimit
