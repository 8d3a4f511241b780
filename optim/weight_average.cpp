#include "optim/weight_average.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "layers/state.h"
#include "optim/optimizer.h"

namespace qlimit {

WeightAverage::WeightAverage(const Layer& model, double decay) : decay_(decay), held_(tensors_of(model)) {
  check_option("decay of the average", decay, 0, 1);
  for (const Buffer& held : held_) averages_.push_back({held.name, Tensor<Real>(held.tensor.shape())});
}

void WeightAverage::update() {
  ++updates_;
  const double share = (1 - decay_) / (1 - std::pow(decay_, static_cast<double>(updates_)));
  for (size_t i = 0; i < held_.size(); ++i) {
    const Real* weight = held_[i].tensor.data();
    Real* average = averages_[i].tensor.data();
    for (int64_t k = 0; k < held_[i].tensor.size(); ++k)
      average[k] += static_cast<Real>(share * (static_cast<double>(weight[k]) - average[k]));
  }
}

void WeightAverage::swap() {
  if (updates_ == 0)
    throw Error(ErrorKind::kUsage, {.what = "no weights have been averaged yet", .hint = "call update()"});
  for (size_t i = 0; i < held_.size(); ++i)
    std::swap_ranges(averages_[i].tensor.begin(), averages_[i].tensor.end(), held_[i].tensor.begin());
}

void WeightAverage::set_updates(int64_t updates) {
  if (updates < 0) {
    throw Error(ErrorKind::kUsage,
                {.what = "an average's number of updates is negative", .found = concat(updates)});
  }
  updates_ = updates;
}

void save_state(const WeightAverage& average, Archive& archive, const std::string& prefix) {
  save_counted("updates", average.updates(), average.averages(), archive, prefix);
}

void load_state(WeightAverage& average, const Archive& archive, const std::string& prefix) {
  average.set_updates(load_counted("updates", average.averages(), archive, prefix));
}

}  // namespace qlimit
