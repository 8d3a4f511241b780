// Does a layer's noise tell its damage? For each trained net, over its layers: Spearman's rank correlation
// between the answers lost when this layer alone is narrow, and the signal-to-noise ratio of its output then.
// If noise told everything, it would be -1: the less signal, the more damage.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "experiments/limit/report/summary.h"

namespace qlimit {

/// In points: the answers that are lost against 8 bits throughout.
double damage(const StudySummary& summary, const LayersResult& net, const LayerResult& layer);

/// Of one net. Nothing with fewer than two layers, or if all damages or all ratios are equal.
std::optional<double> noise_correlation(const LayersResult& net);

/// For each seed, the mean over its nets of a shape that have one.
BySeed noise_correlations(const StudySummary& summary, const std::string& shape);
/// How many nets these are.
size_t count_correlated(const StudySummary& summary, const std::string& shape);

/// The mean over the seeds and its interval, which Student's formula, knowing no bounds, may draw beyond -1
/// and 1: it is cut there.
std::optional<Estimate> mean_noise_correlation(const StudySummary& summary, const std::string& shape);

/// A layer of the nets of one size: means over the seeds.
struct LayerMean {
  NetSize net;
  std::string name;
  double damage = 0;   // points
  double sqnr_db = 0;  // decibels
};

/// Of all sizes of a shape, in order of execution.
std::vector<LayerMean> layer_means(const StudySummary& summary, const std::string& shape);

/// The bits of the narrow layers; nothing if there are no such results.
std::optional<int> narrow_layer_bits(const StudySummary& summary);

}  // namespace qlimit
