#include "experiments/limit/report/surprises.h"

#include "core/error.h"
#include "experiments/limit/report/byte_trade.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/limit/report/recovery.h"
#include "experiments/limit/report/sensitivity.h"
#include "experiments/text_table.h"

namespace qlimit {

std::string recovered_range(const StudySummary& summary, const std::string& method, const BitWidths& bits,
                            const std::string& beside) {
  std::vector<double> means;
  for (const std::string& shape : summary.shapes()) {
    for (const SizeGroup& group : size_groups()) {
      if (!beside.empty() && recovered_share(summary, shape, group, beside, bits).empty()) continue;
      const auto share = estimate(recovered_share(summary, shape, group, method, bits));
      if (share) means.push_back(share->mean);
    }
  }
  return means.empty() ? kUnknown : range_text(means, 0) + " %";
}

std::string calibration_growth(const StudySummary& summary, const BitWidths& bits) {
  const std::set<int64_t> sizes = summary.calibration_sizes();
  if (sizes.size() < 2) return kUnknown;
  const int64_t few = *sizes.begin(), many = *sizes.rbegin();
  std::vector<double> with_few, with_many;
  for (const NetSize& net : summary.nets()) {
    const auto less = estimate(summary.calibration_drop(net, kBaseline, few, bits));
    const auto more = estimate(summary.calibration_drop(net, kBaseline, many, bits));
    if (!less || !more) continue;
    with_few.push_back(less->mean);
    with_many.push_back(more->mean);
  }
  if (with_few.empty()) return kUnknown;
  return concat(to_text(mean(with_few), 2), " points with ", few, " images, ", to_text(mean(with_many), 2),
                " with ", thousands(many));
}

std::string lead_of_the_larger_net(const StudySummary& summary, const std::string& shape,
                                   const std::string& method) {
  if (summary.nets(shape).empty()) return kUnknown;
  const NetSize small = nearest_net(summary, shape, kSmallNet);
  const NetSize large = nearest_net(summary, shape, kLargeNet);
  const BySeed in_8_bits = summary.accuracy(small, kBaseline, {.weights = 8, .activations = 8});
  const BySeed in_4_bits = summary.accuracy(large, method, {.weights = 4, .activations = 8});
  const auto lead = estimate(paired_difference(in_4_bits, in_8_bits));
  return lead && small.width != large.width ? to_text(lead) : kUnknown;
}

std::string noise_correlation_text(const StudySummary& summary, const std::string& shape) {
  const auto correlation = mean_noise_correlation(summary, shape);
  return correlation ? to_text(correlation->mean, 2) : kUnknown;
}

}  // namespace qlimit
