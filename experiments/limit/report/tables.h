// The tables of the study's page, as Markdown. Figures are means over seeds with their 95 % intervals
// (estimate.h); n is the number of seeds, the fewest of a row where its cells differ; a cell without results
// is empty.
#pragma once

#include <string>
#include <vector>

#include "experiments/champion/summary.h"
#include "experiments/limit/report/summary.h"

namespace qlimit {

/// Each net: sizes, training, accuracy in fp32, and drops of `min_max` at four widths.
std::string table_of_nets(const StudySummary& summary);

/// Each method of the results, what it does, and at which widths it was measured.
std::string table_of_methods(const StudySummary& summary);

/// Each net's breaking point with `min_max`, on each ladder.
std::string table_of_breaking_points(const StudySummary& summary);

/// One table for each ladder and shape: the breaking points of all methods that have it.
std::string tables_of_breaking_points_by_method(const StudySummary& summary);

/// What each remedy recovers at these widths, by shape and group of sizes.
std::string table_of_recovery(const StudySummary& summary, const BitWidths& bits);

/// For the nets that were trained with quantization: drops at the widths of those trainings, by methods that
/// do not train and by those that do.
std::string table_of_trainings(const StudySummary& summary);

/// The nets nearest to 10,000 parameters with 8 bits, and those nearest to 20,000 with 4-bit weights by each
/// method.
std::string table_of_ten_or_twenty(const StudySummary& summary);

/// Nets with 4-bit weights against 8-bit nets of the same bytes.
std::string table_of_same_bytes(const StudySummary& summary);

/// The rank correlation of damage and noise over the layers of a net.
std::string table_of_noise(const StudySummary& summary);

/// One table for each shape: what each layer alone loses.
std::string tables_of_layers(const StudySummary& summary);

/// Drops over the number of calibration images.
std::string table_of_calibration(const StudySummary& summary);

/// The best int8 models, a row each.
std::string table_of_champions(const std::vector<ChampionSummary>& champions);

}  // namespace qlimit
