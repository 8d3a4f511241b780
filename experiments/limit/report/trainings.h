// What is compared where nets were trained with quantization: the methods that train, two beside them that
// do not, and the widths and nets of these trainings.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// `min_max` and AdaRound; then the methods of the results that train.
std::vector<std::string> compared_with_trainings(const StudySummary& summary);

/// The widths of the trainings, most bits first.
std::set<BitWidths, std::greater<>> widths_of_trainings(const StudySummary& summary);

/// Those of a shape that were trained with quantization.
std::vector<NetSize> nets_with_trainings(const StudySummary& summary, const std::string& shape);

}  // namespace qlimit
