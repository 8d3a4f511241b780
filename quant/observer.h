// Observers watch a tensor while a model runs on calibration images, and then say which range of real numbers
// its 8 bits should cover. A wide range clips nothing but has coarse steps; a narrow one has fine steps but
// clips outliers.
//
//   std::unique_ptr<Observer> observer = make_observer({.method = CalibrationMethod::kPercentile});
//   for (const Tensor<float>& activation : seen) observer->observe(activation.data(), activation.size());
//   AffineParams params = activation_params(observer->range());
//
// The result depends only on the numbers and, for the moving average, on the order of the calls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "quant/affine.h"

namespace qlimit {

enum class CalibrationMethod {
  kMinMax,         // the least and the greatest number of all: TFLite's calibrator. Clips nothing.
  kMovingAverage,  // exponential average of each call's minimum and maximum (Jacob et al. 2018, section 3.1)
  kPercentile,     // leaves out a given share of the numbers at either end
  kMse,            // the range whose quantization has the least mean squared error
  kEntropy,  // the range whose quantized distribution diverges least (Kullback-Leibler) from the one seen
};

struct ObserverOptions {
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double smoothing = 0.9;     // kMovingAverage: the share of the old value at each call, in [0,1)
  double percentile = 99.99;  // kPercentile: of the numbers from either end, in (50,100]
  int bits = 8;               // kMse, kEntropy: the width that is optimized for, 2 to 8
};

class Observer {
 public:
  virtual ~Observer() = default;

  /// Takes note of n numbers, usually one activation of one batch. Those that are not finite are left out and
  /// counted.
  void observe(const float* values, int64_t n);

  /// The range to quantize; min <= max. Throws kUsage if no finite number was seen.
  Range range() const;

  /// How many finite numbers were seen, and how many others.
  int64_t count() const { return count_; }
  int64_t not_finite() const { return not_finite_; }

 protected:
  virtual void begin_call() {}
  virtual void add(float finite) = 0;
  virtual void end_call() {}
  virtual Range choose() const = 0;  // called with at least one number seen

 private:
  int64_t count_ = 0;
  int64_t not_finite_ = 0;
};

/// Throws kUsage for options out of range.
std::unique_ptr<Observer> make_observer(const ObserverOptions& options = {});

/// "min_max", "moving_average", "percentile", "mse", "entropy", and back. Throws kUsage for another name.
CalibrationMethod calibration_method(std::string_view name);
std::string calibration_method_name(CalibrationMethod method);

}  // namespace qlimit
