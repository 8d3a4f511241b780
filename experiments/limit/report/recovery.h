// What a remedy gives back of what quantization took: the share 1 - drop / drop of the baseline, at the same
// widths. 100 % is as good as fp32, 0 % is no help, and less than that is harm.
//
// The baseline of a remedy is minimum and maximum with the same scales: `min_max_tensor` for methods with one
// scale a layer, whose names end in "_tensor", and `min_max` for others. `min_max` itself, one scale a
// channel, is measured against `min_max_tensor`.
//
// Shares are of groups of nets of similar size: for each seed the sum of drops over the group's nets, the
// remedy's against the baseline's, so that nets which lose next to nothing do not make the ratio jump. The
// interval is over the seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/limit/report/summary.h"

namespace qlimit {

struct SizeGroup {
  std::string name;
  int64_t least = 0, below = 0;  // parameters

  bool holds(const NetSize& net) const { return net.parameters >= least && net.parameters < below; }
};

/// From the smallest on.
const std::vector<SizeGroup>& size_groups();
/// The index of the group that holds the net.
size_t size_group_of(const NetSize& net);

/// Empty for a method that has none: `min_max_tensor`.
std::string baseline_of(const std::string& method);

/// What the baseline needs to lose, in points a net and for each seed: of less there is nothing to recover.
inline constexpr double kLeastDropToRecover = 1;

/// In percent, for the seeds whose nets of the group have all been measured with both methods. Empty if there
/// is no such seed, no baseline, or nothing to recover.
BySeed recovered_share(const StudySummary& summary, const std::string& shape, const SizeGroup& group,
                       const std::string& method, const BitWidths& bits);

}  // namespace qlimit
