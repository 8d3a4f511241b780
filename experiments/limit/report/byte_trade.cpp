#include "experiments/limit/report/byte_trade.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qlimit {
namespace {

constexpr BitWidths kEightBits = {.weights = 8, .activations = 8};

// What `value` says of each net of the shape in 8 bits, over its bytes.
template <typename Value>
std::vector<AtBytes> curve_of_8_bits(const StudySummary& summary, const std::string& shape,
                                     const Value& value) {
  std::vector<AtBytes> curve;
  for (const NetSize& net : summary.nets(shape)) {
    const std::optional<double> bytes = summary.bytes(net, kBaseline, kEightBits.weights);
    const std::optional<double> one = value(net);
    if (bytes && one) curve.push_back({*bytes, *one});
  }
  return curve;
}

std::vector<AtBytes> accuracies_of_8_bits(const StudySummary& summary, const std::string& shape,
                                          uint64_t seed) {
  return curve_of_8_bits(summary, shape, [&](const NetSize& net) -> std::optional<double> {
    const BySeed accuracy = summary.accuracy(net, kBaseline, kEightBits);
    const auto found = accuracy.find(seed);
    return found == accuracy.end() ? std::nullopt : std::optional(found->second);
  });
}

// Nothing if the method lacks a net or a seed.
std::optional<double> mean_over_all(const StudySummary& summary, const std::string& shape,
                                    const std::string& method, const BitWidths& bits) {
  double sum = 0;
  size_t count = 0;
  for (const NetSize& net : summary.nets(shape)) {
    const BySeed accuracy = summary.accuracy(net, method, bits);
    if (accuracy.empty() || accuracy.size() < summary.accuracy(net, kBaseline, bits).size())
      return std::nullopt;
    for (const auto& [seed, value] : accuracy) sum += value, ++count;
  }
  return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

}  // namespace

std::optional<double> interpolate(const std::vector<AtBytes>& curve, double bytes) {
  for (size_t i = 0; i + 1 < curve.size(); ++i) {
    const AtBytes &low = curve[i], &high = curve[i + 1];
    if (bytes < low.bytes || bytes > high.bytes) continue;
    const double t = std::log(bytes / low.bytes) / std::log(high.bytes / low.bytes);
    return low.value + t * (high.value - low.value);
  }
  return std::nullopt;
}

std::vector<ByteTrade> byte_trades(const StudySummary& summary, const std::string& shape,
                                   const std::string& method, const BitWidths& bits) {
  const std::vector<AtBytes> parameters = curve_of_8_bits(
      summary, shape, [](const NetSize& net) { return std::optional(static_cast<double>(net.parameters)); });
  std::vector<ByteTrade> trades;
  for (const NetSize& net : summary.nets(shape)) {
    const std::optional<double> bytes = summary.bytes(net, method, bits.weights);
    const std::optional<double> smaller = bytes ? interpolate(parameters, *bytes) : std::nullopt;
    if (!smaller) continue;
    ByteTrade trade{.net = net, .bytes = *bytes, .parameters_of_8_bits = *smaller};
    trade.narrow = summary.accuracy(net, method, bits);
    for (const uint64_t seed : summary.seeds())
      if (const auto accuracy = interpolate(accuracies_of_8_bits(summary, shape, seed), *bytes))
        trade.in_8_bits[seed] = *accuracy;
    trade.gain = paired_difference(trade.narrow, trade.in_8_bits);
    if (!trade.gain.empty()) trades.push_back(std::move(trade));
  }
  return trades;
}

std::string best_remedy(const StudySummary& summary, const std::string& shape, const BitWidths& bits) {
  std::string best;
  double highest = 0;
  for (const std::string& method : summary.methods()) {
    if (method == kBaseline) continue;
    const std::optional<double> accuracy = mean_over_all(summary, shape, method, bits);
    if (!accuracy || *accuracy <= highest) continue;
    best = method;
    highest = *accuracy;
  }
  return best;
}

NetSize nearest_net(const StudySummary& summary, const std::string& shape, double parameters) {
  const std::vector<NetSize> nets = summary.nets(shape);
  const auto distance = [&](const NetSize& net) {
    return std::abs(std::log(static_cast<double>(net.parameters) / parameters));
  };
  const auto nearest = std::min_element(nets.begin(), nets.end(), [&](const NetSize& a, const NetSize& b) {
    return distance(a) < distance(b);
  });
  if (nearest == nets.end())
    throw Error(ErrorKind::kUsage, {.what = "the study has no nets of this shape", .found = shape});
  return *nearest;
}

}  // namespace qlimit
