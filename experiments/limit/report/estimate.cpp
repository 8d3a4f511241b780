#include "experiments/limit/report/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace qlimit {

std::vector<double> values(const BySeed& by_seed) {
  std::vector<double> all;
  for (const auto& [seed, value] : by_seed) all.push_back(value);
  return all;
}

BySeed paired_difference(const BySeed& a, const BySeed& b) {
  BySeed difference;
  for (const auto& [seed, value] : a)
    if (const auto other = b.find(seed); other != b.end()) difference[seed] = value - other->second;
  return difference;
}

BySeed sum(const std::vector<BySeed>& maps) {
  if (maps.empty()) return {};
  BySeed total = maps[0];
  for (size_t i = 1; i < maps.size(); ++i) {
    std::erase_if(total, [&](const auto& item) { return maps[i].count(item.first) == 0; });
    for (auto& [seed, value] : total) value += maps[i].at(seed);
  }
  return total;
}

std::optional<Estimate> estimate(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  Estimate result{.mean = mean(values), .interval = {}, .count = values.size()};
  if (values.size() >= 2) result.interval = student_interval(values, kConfidence);
  return result;
}

std::optional<Estimate> estimate(const BySeed& by_seed) { return estimate(values(by_seed)); }

void FewestValues::add(size_t count) {
  if (count > 0) count_ = none() ? count : std::min(count_, count);
}

std::string FewestValues::text() const { return fmt::format("{}", count_); }

std::string to_text(double value, int decimals) {
  const bool is_zero = std::abs(value) < 0.5 * std::pow(10, -decimals);
  return fmt::format("{:.{}f}", is_zero ? 0.0 : value, decimals);
}

std::string range_text(const std::vector<double>& values, int decimals) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return to_text(*least, decimals) + " to " + to_text(*most, decimals);
}

std::string to_text(const std::optional<Estimate>& estimate, int decimals) {
  if (!estimate) return "";
  const std::string mean = to_text(estimate->mean, decimals);
  if (!estimate->interval) return mean;
  return fmt::format("{} ({} ... {})", mean, to_text(estimate->interval->low, decimals),
                     to_text(estimate->interval->high, decimals));
}

}  // namespace qlimit
