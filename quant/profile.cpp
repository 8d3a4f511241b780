#include "quant/profile.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"

namespace qlimit {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<double> profile(const Graph& graph, int64_t calls,
                            const std::function<void(int64_t, const Probe&)>& run) {
  if (calls < 1) throw Error(ErrorKind::kUsage, {.what = "no calls to profile", .found = concat(calls)});
  // Read off in the order of the nodes; the first time is the input's.
  std::vector<Clock::time_point> times(graph.nodes.size() + 1);
  size_t visited = 0;
  const Probe clock = [&](int64_t, ValueId, const void*) {
    if (visited < times.size()) times[visited] = Clock::now();
    ++visited;
  };
  std::vector<std::vector<double>> microseconds(graph.nodes.size());
  const int64_t warm_up = (calls + 9) / 10;
  for (int64_t call = 0; call < warm_up + calls; ++call) {
    visited = 0;
    run(call, clock);
    if (visited != times.size()) {
      throw Error(ErrorKind::kUsage, {.what = "a profiled call runs the whole graph once",
                                      .expected = concat(times.size(), " values"),
                                      .found = concat(visited)});
    }
    if (call < warm_up) continue;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      microseconds[i].push_back(std::chrono::duration<double, std::micro>(times[i + 1] - times[i]).count());
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& values : microseconds) medians.push_back(median(values));
  return medians;
}

}  // namespace qlimit
