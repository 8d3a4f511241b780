#include "experiments/training_profile.h"

#include <fmt/format.h>

#include <chrono>
#include <unordered_map>

#include "core/error.h"
#include "experiments/inference/report.h"
#include "experiments/statistics.h"
#include "experiments/text_table.h"
#include "layers/softmax_cross_entropy.h"
#include "optim/adam.h"

namespace qlimit {
namespace {

// The microseconds since the last look.
class LapClock {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double us = std::chrono::duration<double, std::micro>(now - last_).count();
    last_ = now;
    return us;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int64_t backward_multiply_adds(const Variable& v) {
  if (v.operation().multiply_adds == 0) return 0;
  // Data and weights; a bias costs no products.
  int64_t wanted = 0;
  for (size_t i = 0; i < v.inputs().size() && i < 2; ++i) wanted += v.inputs()[i].wants_grad();
  return wanted * v.operation().multiply_adds;
}

// Of all steps.
struct Laps {
  std::vector<OperationTime> operations;
  std::vector<std::vector<double>> forward, backward;  // of each operation
  std::vector<double> optimizer, whole;
};

void time_step(Layer& model, const Variable& images, const std::vector<uint8_t>& labels, Adam& adam,
               Laps& laps) {
  std::unordered_map<const void*, size_t> places;
  LapClock whole, clock;
  const TapeListener listener([&](TapeEvent event, const Variable& v) {
    const double us = clock.lap();
    if (event == TapeEvent::kBackward) {
      laps.backward[places.at(v.id())].push_back(us);
      return;
    }
    const size_t place = places.size();
    places[v.id()] = place;
    if (place == laps.operations.size()) {
      laps.operations.push_back({.name = v.operation().name,
                                 .output = v.shape(),
                                 .multiply_adds = v.operation().multiply_adds,
                                 .backward_multiply_adds = backward_multiply_adds(v)});
      laps.forward.emplace_back();
      laps.backward.emplace_back();
    }
    laps.forward[place].push_back(us);
  });
  adam.zero_grad();
  clock.lap();
  const Variable loss = softmax_cross_entropy(model(images), labels);
  backward(loss);
  clock.lap();
  adam.step(0);
  laps.optimizer.push_back(clock.lap());
  laps.whole.push_back(whole.lap());
}

double median_from(const std::vector<double>& values, size_t begin) {
  if (values.size() <= begin) return 0;
  return quantile({values.begin() + static_cast<std::ptrdiff_t>(begin), values.end()}, 0.5);
}

}  // namespace

TrainingProfile profile_training(Layer& model, const Tensor<float>& images,
                                 const std::vector<uint8_t>& labels, int64_t steps) {
  if (steps < 1) throw Error(ErrorKind::kUsage, {.what = "no steps to profile", .found = concat(steps)});
  const size_t warm_up = 3;
  Adam adam(model.parameters(), {});
  model.set_training(true);
  const Variable x = Variable::constant(images);
  Laps laps;
  for (size_t i = 0; i < warm_up + static_cast<size_t>(steps); ++i) time_step(model, x, labels, adam, laps);

  TrainingProfile profile{.batch = images.dim(0),
                          .operations = laps.operations,
                          .optimizer_us = median_from(laps.optimizer, warm_up),
                          .step_us = median_from(laps.whole, warm_up)};
  for (size_t i = 0; i < profile.operations.size(); ++i) {
    profile.operations[i].forward_us = median_from(laps.forward[i], warm_up);
    profile.operations[i].backward_us = median_from(laps.backward[i], warm_up);
  }
  return profile;
}

std::string to_text(const TrainingProfile& profile, double peak) {
  std::vector<TextRow> rows = {
      {"operation", "output", "forward us", "Gop/s", "of peak", "backward us", "Gop/s", "of peak", "share"}};
  OperationTime all;
  const auto add = [&](const OperationTime& o, const std::string& output) {
    TextRow row = {o.name, output};
    const auto figures = [&](double us, int64_t multiply_adds) {
      row.push_back(us > 0 ? fmt::format("{:.1f}", us) : "");
      row.push_back(multiply_adds > 0 ? fmt::format("{:.1f}", gigaoperations(multiply_adds, us)) : "");
      row.push_back(share_of_peak(multiply_adds, us, peak));
    };
    figures(o.forward_us, o.multiply_adds);
    figures(o.backward_us, o.backward_multiply_adds);
    row.push_back(fmt::format("{:.1f} %", 100 * (o.forward_us + o.backward_us) / profile.step_us));
    rows.push_back(row);
  };
  for (const OperationTime& o : profile.operations) {
    add(o, o.output.to_string());
    all.forward_us += o.forward_us;
    all.backward_us += o.backward_us;
    all.multiply_adds += o.multiply_adds;
    all.backward_multiply_adds += o.backward_multiply_adds;
  }
  add({.name = "adam", .forward_us = profile.optimizer_us}, "");
  all.name = "total";
  all.forward_us += profile.optimizer_us;
  add(all, "");
  return fmt::format(
      "a training step: {:.2f} ms for {} images, {} images/s\n\n{}"
      "Medians; the clock is read between the operations of the tape. A multiply-add is two operations.\n",
      1e-3 * profile.step_us, profile.batch,
      thousands(static_cast<int64_t>(1e6 * static_cast<double>(profile.batch) / profile.step_us)),
      text_table(rows, 2));
}

}  // namespace qlimit
