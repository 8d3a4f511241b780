#include "experiments/limit/report/recovery.h"

#include <limits>

namespace qlimit {
namespace {

constexpr std::string_view kPerTensor = "_tensor";

}  // namespace

const std::vector<SizeGroup>& size_groups() {
  static const std::vector<SizeGroup> groups = {
      {.name = "below 5,000 parameters", .least = 0, .below = 5'000},
      {.name = "5,000 to 30,000", .least = 5'000, .below = 30'000},
      {.name = "30,000 and more", .least = 30'000, .below = std::numeric_limits<int64_t>::max()}};
  return groups;
}

size_t size_group_of(const NetSize& net) {
  size_t index = 0;
  while (!size_groups()[index].holds(net)) ++index;
  return index;
}

std::string baseline_of(const std::string& method) {
  if (method == "min_max_tensor") return "";
  return method == "min_max" || method.ends_with(kPerTensor) ? "min_max_tensor" : "min_max";
}

BySeed recovered_share(const StudySummary& summary, const std::string& shape, const SizeGroup& group,
                       const std::string& method, const BitWidths& bits) {
  std::vector<BySeed> with, without;
  for (const NetSize& net : summary.nets(shape)) {
    if (!group.holds(net)) continue;
    with.push_back(summary.drop(net, method, bits));
    without.push_back(summary.drop(net, baseline_of(method), bits));
  }
  const BySeed remedied = sum(with), lost = sum(without);
  BySeed share;
  for (const auto& [seed, drop] : remedied) {
    const auto baseline = lost.find(seed);
    if (baseline == lost.end()) continue;
    if (baseline->second < kLeastDropToRecover * static_cast<double>(with.size())) return {};
    share[seed] = 100 * (1 - drop / baseline->second);
  }
  return share;
}

}  // namespace qlimit
