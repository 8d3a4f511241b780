#include "quant/observer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "quant/histogram.h"
#include "quant/range_search.h"

namespace qlimit {
namespace {

constexpr Range kNothing = {.min = std::numeric_limits<float>::infinity(),
                            .max = -std::numeric_limits<float>::infinity()};

Range extend(Range range, float value) { return {std::min(range.min, value), std::max(range.max, value)}; }

class MinMaxObserver : public Observer {
 protected:
  void add(float value) override { seen_ = extend(seen_, value); }
  Range choose() const override { return seen_; }

 private:
  Range seen_ = kNothing;
};

class MovingAverageObserver : public Observer {
 public:
  explicit MovingAverageObserver(double smoothing) : smoothing_(smoothing) {}

 protected:
  void begin_call() override { call_ = kNothing; }
  void add(float value) override { call_ = extend(call_, value); }
  void end_call() override {
    if (call_ == kNothing) return;
    min_ = started_ ? smoothing_ * min_ + (1 - smoothing_) * call_.min : call_.min;
    max_ = started_ ? smoothing_ * max_ + (1 - smoothing_) * call_.max : call_.max;
    started_ = true;
  }
  Range choose() const override { return {static_cast<float>(min_), static_cast<float>(max_)}; }

 private:
  double smoothing_;
  bool started_ = false;
  double min_ = 0, max_ = 0;
  Range call_ = kNothing;
};

// The methods that need the whole distribution differ only in how they search it.
class HistogramObserver : public Observer {
 public:
  explicit HistogramObserver(const ObserverOptions& options) : options_(options) {}

 protected:
  void add(float value) override { histogram_.add(value); }
  Range choose() const override {
    switch (options_.method) {
      case CalibrationMethod::kPercentile:
        return percentile_range(histogram_, options_.percentile);
      case CalibrationMethod::kMse:
        return mse_range(histogram_, options_.bits);
      default:
        return entropy_range(histogram_, options_.bits);
    }
  }

 private:
  ObserverOptions options_;
  Histogram histogram_;
};

struct NamedMethod {
  std::string_view name;
  CalibrationMethod method;
};
constexpr std::array<NamedMethod, 5> kMethods = {{{"min_max", CalibrationMethod::kMinMax},
                                                  {"moving_average", CalibrationMethod::kMovingAverage},
                                                  {"percentile", CalibrationMethod::kPercentile},
                                                  {"mse", CalibrationMethod::kMse},
                                                  {"entropy", CalibrationMethod::kEntropy}}};

void check(bool holds, const char* option, const char* expected, double found) {
  if (holds) return;
  throw Error(ErrorKind::kUsage, {.what = "calibration option out of range",
                                  .where = option,
                                  .expected = expected,
                                  .found = concat(found)});
}

}  // namespace

void Observer::observe(const float* values, int64_t n) {
  begin_call();
  for (int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(values[i])) {
      ++not_finite_;
      continue;
    }
    ++count_;
    add(values[i]);
  }
  end_call();
}

Range Observer::range() const {
  if (count_ == 0) {
    throw Error(ErrorKind::kUsage,
                {.what = "calibration has seen no numbers",
                 .found = not_finite_ == 0 ? "" : concat(not_finite_, " that are not finite"),
                 .hint = "run it on at least one image"});
  }
  return choose();
}

std::unique_ptr<Observer> make_observer(const ObserverOptions& options) {
  check(options.smoothing >= 0 && options.smoothing < 1, "smoothing", "at least 0, below 1",
        options.smoothing);
  check(options.percentile > 50 && options.percentile <= 100, "percentile", "above 50, at most 100",
        options.percentile);
  check_bits(options.bits, "bits");
  switch (options.method) {
    case CalibrationMethod::kMinMax:
      return std::make_unique<MinMaxObserver>();
    case CalibrationMethod::kMovingAverage:
      return std::make_unique<MovingAverageObserver>(options.smoothing);
    default:
      return std::make_unique<HistogramObserver>(options);
  }
}

CalibrationMethod calibration_method(std::string_view name) {
  for (const NamedMethod& known : kMethods)
    if (known.name == name) return known.method;
  throw Error(ErrorKind::kUsage, {.what = "unknown calibration method",
                                  .expected = "min_max, moving_average, percentile, mse or entropy",
                                  .found = std::string(name)});
}

std::string calibration_method_name(CalibrationMethod method) {
  for (const NamedMethod& known : kMethods)
    if (known.method == method) return std::string(known.name);
  return "unknown";
}

}  // namespace qlimit
