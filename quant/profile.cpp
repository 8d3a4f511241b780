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

// One reading of the clock.
struct Reading {
  ValueId value;
  Clock::time_point time;
};

// The values that a run of the graph computes, the input first.
std::vector<ValueId> all_values(const Graph& graph) {
  std::vector<ValueId> values = {graph.input};
  for (const Node& node : graph.nodes) values.push_back(node.output);
  return values;
}

// Where in the order of `values` each reading was made. Throws unless they lead from the input to the end.
std::vector<size_t> places(const std::vector<Reading>& readings, const std::vector<ValueId>& values) {
  std::vector<size_t> found;
  size_t at = 0;
  for (const Reading& reading : readings) {
    while (at < values.size() && values[at] != reading.value) ++at;
    if (at < values.size()) found.push_back(at++);
  }
  const bool complete =
      found.size() == readings.size() && found.size() > 1 && found.front() == 0 && at == values.size();
  if (!complete && values.size() > 1) {
    throw Error(ErrorKind::kUsage,
                {.what = "a profiled call runs the whole graph once",
                 .expected = concat("readings from the input to the last of ", values.size(), " values"),
                 .found = concat(readings.size(), " readings")});
  }
  return found;
}

}  // namespace

std::vector<NodeTime> profile(const Graph& graph, int64_t calls,
                              const std::function<void(int64_t, const Probe&)>& run) {
  if (calls < 1) throw Error(ErrorKind::kUsage, {.what = "no calls to profile", .found = concat(calls)});
  const std::vector<ValueId> values = all_values(graph);
  std::vector<Reading> readings;
  readings.reserve(2 * values.size());  // so that reading the clock asks for no memory
  const Probe clock = [&](int64_t, ValueId value, const void*) { readings.push_back({value, Clock::now()}); };

  std::vector<size_t> computed;                           // places in `values`, the same in each call
  std::vector<std::vector<double>> times(values.size());  // microseconds of each call
  const int64_t warm_up = (calls + 9) / 10;
  for (int64_t call = 0; call < warm_up + calls; ++call) {
    readings.clear();
    run(call, clock);
    const std::vector<size_t> now = places(readings, values);
    if (call == 0) computed = now;
    if (now != computed) throw Error(ErrorKind::kUsage, {.what = "profiled calls compute different values"});
    for (size_t i = 1; call >= warm_up && i < now.size(); ++i) {
      times[now[i]].push_back(
          std::chrono::duration<double, std::micro>(readings[i].time - readings[i - 1].time).count());
    }
  }
  std::vector<NodeTime> nodes;
  for (size_t i = 1; i < values.size(); ++i) {
    nodes.push_back(times[i].empty() ? NodeTime{.with_next = true} : NodeTime{.us = median(times[i])});
  }
  return nodes;
}

}  // namespace qlimit
