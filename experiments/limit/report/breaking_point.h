// The breaking point: the largest width of a ladder whose drop exceeds one point with 95 % confidence. With
// more bits no loss of more than a point is proved.
//
//   ladder                widths                      what narrows
//   kBoth                 8/8, 7/7, 6/6 ... 2/2       weights and activations together
//   kWeights              8/8, 7/8, 6/8 ... 2/8       weights alone
//   kActivations          8/8, 8/7, 8/6 ... 8/2       activations alone
//
// At each width the drops of n seeds, paired, have two one-sided bounds, mean -+ t(95 %, n-1) s / sqrt(n).
// The drop exceeds a point surely if the lower one does, and possibly if the upper one does. Hence the
// interval: from the largest width that breaks surely, which is the breaking point, to the largest that
// breaks possibly. The true breaking point, that of infinitely many seeds, lies below the first with 5 % risk
// and above the second with 5 %. Bootstrapping or leaving out seeds would say less: five seeds have few
// different resamples, and widths are whole numbers, so most of these would agree by accident.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// In points.
inline constexpr double kBreakingDrop = 1;

/// Whether the mean of all seeds exceeds `limit` with 95 % confidence: whether the lower bound does.
bool surely_exceeds(const std::vector<double>& values, double limit = kBreakingDrop);
/// Whether it cannot be excluded: whether the upper bound does. Both throw kUsage for fewer than two values.
bool possibly_exceeds(const std::vector<double>& values, double limit = kBreakingDrop);

struct BreakingPoint {
  std::optional<int> surely = {};    // none: no width breaks for sure
  std::optional<int> possibly = {};  // at least `surely`
  int narrowest = 0, widest = 0;     // of the widths that were measured
  size_t seeds = 0;                  // fewest at any width
};

/// drops: paired, in points, by width. Widths with fewer than two seeds do not count; nothing if none is
/// left.
std::optional<BreakingPoint> breaking_point(const std::map<int, std::vector<double>>& drops,
                                            double limit = kBreakingDrop);

/// "4" where both ends agree, "4 ... 5" where not, "below 2" if no width breaks, "6 or more" if nothing wider
/// was measured (but 8 bits); "" for nothing.
std::string to_text(const std::optional<BreakingPoint>& point);

enum class Ladder { kBoth, kWeights, kActivations };
inline constexpr Ladder kLadders[] = {Ladder::kBoth, Ladder::kWeights, Ladder::kActivations};

/// "weights and activations", ...
std::string_view ladder_name(Ladder ladder);
/// Its widths with so many bits.
BitWidths ladder_widths(Ladder ladder, int bits);
/// Whether a method was measured at two widths of it below 8 bits: at least so many make a ladder.
bool has_ladder(const StudySummary& summary, const std::string& method, Ladder ladder);

std::optional<BreakingPoint> breaking_point(const StudySummary& summary, const NetSize& net,
                                            const std::string& method, Ladder ladder);

}  // namespace qlimit
