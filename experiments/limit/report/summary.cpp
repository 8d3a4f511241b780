#include "experiments/limit/report/summary.h"

#include <algorithm>

#include "core/error.h"
#include "experiments/limit/methods.h"

namespace qlimit {
namespace {

// The place of a method in the study; unknown ones come after all others.
size_t place_of(const std::string& method) {
  const std::vector<Method>& all = limit_methods();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Method& m) { return m.name == method; });
  return static_cast<size_t>(found - all.begin());
}

template <typename T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace

std::string to_text(const BitWidths& bits) { return concat("W", bits.weights, "A", bits.activations); }

StudySummary::StudySummary(LimitResults results) : results_(std::move(results)) {
  for (const Record& record : results_.records) add(record);
  std::stable_sort(methods_.begin(), methods_.end(),
                   [](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
}

void StudySummary::add(const Record& record) {
  const JobName& job = record.job;
  switch (job.kind) {
    case JobKind::kTrain:
      return add_net(job.net, std::get<TrainResult>(record.result));
    case JobKind::kQuantize:
      add_once(methods_, job.method);
      quantized_[{job.net, job.method}] = std::get<QuantizeResult>(record.result);
      return;
    case JobKind::kLayers:
      layers_[job.net] = std::get<LayersResult>(record.result);
      return;
    case JobKind::kCalibration:
      calibrated_[{job.net, job.method}] = std::get<CalibrationResult>(record.result);
      return;
  }
}

void StudySummary::add_net(const NetKey& key, const TrainResult& result) {
  add_once(shapes_, key.shape);
  seeds_.insert(key.seed);
  trained_[key] = result;
  const NetSize size = {.shape = key.shape,
                        .width = key.width,
                        .parameters = result.parameters,
                        .multiply_adds = result.multiply_adds,
                        .epochs = result.epochs};
  const NetSize& known = nets_[key.shape].try_emplace(key.width, size).first->second;
  if (known.parameters == size.parameters && known.multiply_adds == size.multiply_adds &&
      known.epochs == size.epochs)
    return;
  throw Error(ErrorKind::kData,
              {.what = "nets of one size differ between seeds",
               .where = to_string(key),
               .expected = concat(known.parameters, " parameters, ", known.multiply_adds, " multiply-adds, ",
                                  known.epochs, " epochs"),
               .found = concat(size.parameters, ", ", size.multiply_adds, ", ", size.epochs)});
}

std::vector<NetSize> StudySummary::nets(const std::string& shape) const {
  std::vector<NetSize> sizes;
  if (const auto family = nets_.find(shape); family != nets_.end())
    for (const auto& [width, size] : family->second) sizes.push_back(size);
  return sizes;
}

std::vector<NetSize> StudySummary::nets() const {
  std::vector<NetSize> all;
  for (const std::string& shape : shapes_)
    for (const NetSize& net : nets(shape)) all.push_back(net);
  return all;
}

std::set<BitWidths, std::greater<>> StudySummary::points(const std::string& method) const {
  std::set<BitWidths, std::greater<>> widths;
  for (const auto& [key, result] : quantized_)
    if (key.second == method)
      for (const auto& [bits, correct] : result.correct) widths.insert(bits);
  return widths;
}

double StudySummary::percent(int64_t images) const {
  return 100 * static_cast<double>(images) / static_cast<double>(results_.header.test_images);
}

// value(key): what one trained net has to say, or nothing.
template <typename Value>
BySeed StudySummary::by_seed(const NetSize& net, const Value& value) const {
  BySeed found;
  for (const uint64_t seed : seeds_) {
    const NetKey key = {.shape = net.shape, .width = net.width, .seed = seed};
    if (trained_.count(key) == 0) continue;
    if (const std::optional<double> one = value(key)) found[seed] = *one;
  }
  return found;
}

std::set<std::string> StudySummary::instruction_sets(const NetSize& net) const {
  std::set<std::string> sets;
  for (const auto& [key, result] : trained_)
    if (key.shape == net.shape && key.width == net.width) sets.insert(result.instruction_set);
  return sets;
}

BySeed StudySummary::fp32(const NetSize& net) const {
  return by_seed(net, [&](const NetKey& key) { return std::optional(percent(trained_.at(key).fp32)); });
}

BySeed StudySummary::accuracy(const NetSize& net, const std::string& method, const BitWidths& bits) const {
  return by_seed(net, [&](const NetKey& key) -> std::optional<double> {
    const auto result = quantized_.find({key, method});
    if (result == quantized_.end()) return std::nullopt;
    const auto correct = result->second.correct.find(bits);
    if (correct == result->second.correct.end()) return std::nullopt;
    return percent(correct->second);
  });
}

BySeed StudySummary::drop(const NetSize& net, const std::string& method, const BitWidths& bits) const {
  return paired_difference(fp32(net), accuracy(net, method, bits));
}

std::optional<double> StudySummary::bytes(const NetSize& net, const std::string& method,
                                          int weight_bits) const {
  const BySeed own = by_seed(net, [&](const NetKey& key) -> std::optional<double> {
    const auto result = quantized_.find({key, method});
    if (result == quantized_.end()) return std::nullopt;
    const auto count = result->second.bytes.find(weight_bits);
    if (count == result->second.bytes.end()) return std::nullopt;
    return static_cast<double>(count->second);
  });
  if (!own.empty()) return mean(values(own));
  return method == kBaseline || method == "mixed" ? std::nullopt : bytes(net, kBaseline, weight_bits);
}

std::vector<std::string> StudySummary::calibration_methods() const {
  std::vector<std::string> methods;
  for (const auto& [key, result] : calibrated_) add_once(methods, key.second);
  std::stable_sort(methods.begin(), methods.end(),
                   [](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  return methods;
}

std::set<BitWidths, std::greater<>> StudySummary::calibration_points() const {
  std::set<BitWidths, std::greater<>> widths;
  for (const auto& [key, result] : calibrated_)
    for (const auto& [images, correct] : result.correct)
      for (const auto& [bits, count] : correct) widths.insert(bits);
  return widths;
}

std::set<int64_t> StudySummary::calibration_sizes() const {
  std::set<int64_t> sizes;
  for (const auto& [key, result] : calibrated_)
    for (const auto& [images, correct] : result.correct) sizes.insert(images);
  return sizes;
}

BySeed StudySummary::calibration_drop(const NetSize& net, const std::string& method, int64_t images,
                                      const BitWidths& bits) const {
  const BySeed accuracy = by_seed(net, [&](const NetKey& key) -> std::optional<double> {
    const auto result = calibrated_.find({key, method});
    if (result == calibrated_.end()) return std::nullopt;
    const auto size = result->second.correct.find(images);
    if (size == result->second.correct.end()) return std::nullopt;
    const auto correct = size->second.find(bits);
    if (correct == size->second.end()) return std::nullopt;
    return percent(correct->second);
  });
  return paired_difference(fp32(net), accuracy);
}

}  // namespace qlimit
