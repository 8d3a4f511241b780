// Calibration: which real numbers does each activation take on typical images?
//
//   FloatExecutor executor(graph);
//   Ranges ranges = calibrate(executor, images, {.observer = {.method = CalibrationMethod::kPercentile}});
#pragma once

#include "quant/float_executor.h"
#include "quant/observer.h"
#include "quant/quantize.h"

namespace qlimit {

struct CalibrationOptions {
  /// `bits` has to be the activation_bits of QuantizeOptions: the observer of each value optimizes for the
  /// width that the value will have (activation_widths), so for 8 bits at the input and the output.
  ObserverOptions observer;
  int64_t batch = 32;  // images that are run at once, and observed in one call
};

/// Runs the folded float graph on images [N,...], N at least 1, and lets one observer watch each activation,
/// batch after batch in order: the result depends on the images and options alone. Throws kNumeric if an
/// activation is not finite, kUsage for images of another shape, a batch below 1 and options out of range.
Ranges calibrate(const FloatExecutor& executor, const Tensor<float>& images,
                 const CalibrationOptions& options = {});

}  // namespace qlimit
