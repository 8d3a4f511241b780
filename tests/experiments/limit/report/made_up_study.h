// Results of studies that never took place, for the tests of their report: hand-made lines with known
// answers, and a whole study that looks like a real one.
#pragma once

#include <string>
#include <vector>

#include "experiments/limit/record.h"
#include "experiments/limit/report/summary.h"

namespace qlimit {

/// A study with 1,000 test images, so that one image is a tenth of a point, and these lines of results.
StudySummary summary_of(const std::vector<std::string>& lines);

/// "train/plain/w8/s1" with so many parameters and right answers, as a line of results.
std::string trained(const std::string& net, int64_t parameters, int64_t fp32);
/// correct: the object's inside, R"("4/4":700)"; more: further keys, R"(,"bytes":{"4":900})".
std::string quantized(const std::string& net_and_method, const std::string& correct,
                      const std::string& more = "");

/// All jobs of a plan with figures of plausible size: losses grow with the steps of the grid and shrink with
/// the number of parameters, remedies help, seeds differ. `seeds` replaces the plan's: 1 to that number.
LimitResults made_up_results(const std::string& preset, uint64_t seeds);

/// As the text of a file.
std::string to_text(const LimitResults& results);

}  // namespace qlimit
