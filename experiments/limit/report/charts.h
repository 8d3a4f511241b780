// The charts of the study's page, made of its summary. Each is nothing where the results have nothing to
// show.
#pragma once

#include <optional>

#include "experiments/charts/canvas.h"
#include "experiments/limit/report/breaking_point.h"
#include "experiments/limit/report/summary.h"

namespace qlimit {

/// Drops of `min_max` by size and bits of one ladder, a panel for each shape; cells that surely break are
/// framed.
std::optional<Canvas> heat_map_of_drops(const StudySummary& summary, Ladder ladder);

/// Drop of `min_max` over parameters at W8A8, W6A6, W4A8, W4A4, with intervals.
std::optional<Canvas> chart_of_drops(const StudySummary& summary);

/// What each remedy recovers at these widths, by shape and group of sizes.
std::optional<Canvas> chart_of_recovery(const StudySummary& summary, const BitWidths& bits);

/// Drops of the nets that were trained with quantization, by methods that do not train and by those that do,
/// where weights and activations have the same width.
std::optional<Canvas> chart_of_trainings(const StudySummary& summary);

/// Accuracy over the bytes of the constants, a curve for each width of the weights, and the front.
std::optional<Canvas> chart_of_bytes(const StudySummary& summary);

/// What each layer alone loses against the signal-to-noise ratio of its output.
std::optional<Canvas> chart_of_layers(const StudySummary& summary);

/// Drop over the number of calibration images, for each observer, mean of all sizes that were tried.
std::optional<Canvas> chart_of_calibration(const StudySummary& summary);

}  // namespace qlimit
