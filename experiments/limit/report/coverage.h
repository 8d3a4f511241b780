// How much of its plan a study's results hold.
#pragma once

#include <string>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// The plan's jobs that have results, and what has none at all, for the middle of a sentence: "all 1,500 jobs
/// of it are in the results", or "212 of its 1,500 jobs are in the results so far; there is nothing yet of
/// the seeds 4, 5, the plain width 48, the method `lsq`". Throws kUsage for a study that has no plan.
std::string coverage_text(const StudySummary& summary);

/// A sentence without its end: "All trainings ran on `avx2`", "Trainings ran on `avx2`, `avx512vnni`, all
/// those of a size on the same".
std::string trained_on_text(const StudySummary& summary);

}  // namespace qlimit
