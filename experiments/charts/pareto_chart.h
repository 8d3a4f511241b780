// The picture of the study: accuracy over latency, where each model's int8 version stands beside its fp32
// one.
//
//   draw_pareto_chart({mnist, micro, standard}).write_png("results/pareto_chart.png");
//
// Each data set has a panel of its own, because 99 % on digits and 74 % on photographs are answers to
// different questions: accuracies compare, and one model dominates another, within a panel only. The panels
// share the logarithmic axis of latencies.
#pragma once

#include <string>
#include <vector>

#include "experiments/charts/canvas.h"
#include "experiments/charts/experiment_result.h"
#include "experiments/charts/pareto_front.h"

namespace qlimit {

/// The trades of the results, two each: fp32 of the first, int8 of the first, fp32 of the second, ...
std::vector<Trade> trades_of(const std::vector<ExperimentResult>& results);

/// The results of each data set, in the order of their first appearance.
std::vector<std::vector<ExperimentResult>> by_dataset(const std::vector<ExperimentResult>& results);

/// False if two results name different processors, instruction sets or numbers of threads.
bool latencies_compare(const std::vector<ExperimentResult>& results);

/// Draws the chart. Throws kUsage unless there are 1 to 12 results.
Canvas draw_pareto_chart(const std::vector<ExperimentResult>& results);

/// The same figures as a Markdown table, one row a model, with a line of notes below.
std::string pareto_table(const std::vector<ExperimentResult>& results);

}  // namespace qlimit
