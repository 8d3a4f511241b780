#include "experiments/charts/pareto_front.h"

#include <algorithm>

namespace qlimit {

bool dominates(const Trade& a, const Trade& b) {
  return a.latency <= b.latency && a.accuracy >= b.accuracy &&
         (a.latency < b.latency || a.accuracy > b.accuracy);
}

std::vector<size_t> pareto_front(std::span<const Trade> trades) {
  std::vector<size_t> front;
  for (size_t i = 0; i < trades.size(); ++i) {
    const bool dominated = std::any_of(trades.begin(), trades.end(),
                                       [&](const Trade& other) { return dominates(other, trades[i]); });
    if (!dominated) front.push_back(i);
  }
  std::stable_sort(front.begin(), front.end(),
                   [&](size_t a, size_t b) { return trades[a].latency < trades[b].latency; });
  return front;
}

}  // namespace qlimit
