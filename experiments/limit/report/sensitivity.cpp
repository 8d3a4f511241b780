#include "experiments/limit/report/sensitivity.h"

#include <algorithm>
#include <map>

#include "experiments/statistics.h"

namespace qlimit {

double damage(const StudySummary& summary, const LayersResult& net, const LayerResult& layer) {
  return summary.percent(net.int8) - summary.percent(layer.correct);
}

std::optional<double> noise_correlation(const LayersResult& net) {
  std::vector<double> lost, sqnr_db;
  for (const LayerResult& layer : net.layers) {
    lost.push_back(static_cast<double>(net.int8 - layer.correct));
    sqnr_db.push_back(layer.sqnr_db);
  }
  return lost.size() < 2 ? std::nullopt : rank_correlation(lost, sqnr_db);
}

namespace {

std::map<uint64_t, std::vector<double>> correlations_by_seed(const StudySummary& summary,
                                                             const std::string& shape) {
  std::map<uint64_t, std::vector<double>> all;
  for (const auto& [key, net] : summary.layers()) {
    if (key.shape != shape) continue;
    if (const std::optional<double> correlation = noise_correlation(net))
      all[key.seed].push_back(*correlation);
  }
  return all;
}

}  // namespace

BySeed noise_correlations(const StudySummary& summary, const std::string& shape) {
  BySeed means;
  for (const auto& [seed, of_nets] : correlations_by_seed(summary, shape)) means[seed] = mean(of_nets);
  return means;
}

size_t count_correlated(const StudySummary& summary, const std::string& shape) {
  size_t count = 0;
  for (const auto& [seed, of_nets] : correlations_by_seed(summary, shape)) count += of_nets.size();
  return count;
}

std::optional<Estimate> mean_noise_correlation(const StudySummary& summary, const std::string& shape) {
  std::optional<Estimate> mean = estimate(noise_correlations(summary, shape));
  if (mean && mean->interval) {
    mean->interval->low = std::max(mean->interval->low, -1.0);
    mean->interval->high = std::min(mean->interval->high, 1.0);
  }
  return mean;
}

std::vector<LayerMean> layer_means(const StudySummary& summary, const std::string& shape) {
  struct Sum {
    LayerMean layer;
    double seeds = 0;
  };
  std::vector<Sum> sums;
  for (const NetSize& size : summary.nets(shape)) {
    const size_t first = sums.size();
    for (const auto& [key, net] : summary.layers()) {
      if (key.shape != shape || key.width != size.width) continue;
      for (const LayerResult& layer : net.layers) {
        auto sum = std::find_if(sums.begin() + static_cast<std::ptrdiff_t>(first), sums.end(),
                                [&](const Sum& s) { return s.layer.name == layer.name; });
        if (sum == sums.end()) sum = sums.insert(sums.end(), {.layer = {.net = size, .name = layer.name}});
        sum->layer.damage += damage(summary, net, layer);
        sum->layer.sqnr_db += layer.sqnr_db;
        sum->seeds += 1;
      }
    }
  }
  std::vector<LayerMean> means;
  for (const Sum& sum : sums) {
    means.push_back(sum.layer);
    means.back().damage /= sum.seeds;
    means.back().sqnr_db /= sum.seeds;
  }
  return means;
}

std::optional<int> narrow_layer_bits(const StudySummary& summary) {
  if (summary.layers().empty()) return std::nullopt;
  return summary.layers().begin()->second.bits;
}

}  // namespace qlimit
