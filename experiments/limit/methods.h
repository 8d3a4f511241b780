// The methods of the limit study: what is done to a trained net before its integers are counted right or
// wrong.
//
//   const Method& method = limit_method("equalize_bias_tensor");
//   for (const BitWidths& bits : method.points)
//     QuantizedGraph q = quantizer.quantize(method.recipe, bits);   // experiments/limit/quantizer.h
//
// A new method is a new line of the table in methods.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/limit/record.h"
#include "quant/affine.h"
#include "quant/observer.h"
#include "quant/remedies/weight_range.h"
#include "quant/training/fake_quantized_model.h"

namespace qlimit {

enum class BiasCorrection { kNone, kFromImages, kFromBatchNorms };

/// By default what TFLite's converter does: minimum and maximum everywhere, one scale a channel, of dense
/// layers too.
struct Recipe {
  Granularity scales = Granularity::kPerChannel;
  CalibrationMethod activations = CalibrationMethod::kMinMax;
  WeightRangeMethod weights = WeightRangeMethod::kMinMax;
  bool equalizes = false;
  BiasCorrection bias = BiasCorrection::kNone;
  bool learns_rounding = false;  // AdaRound
  bool mixes_widths = false;
  /// Trains a little more, with quantization (experiments/limit/quantized_training.h); then nothing but
  /// `scales` counts.
  std::optional<GridScheme> trains = {};
};

struct Method {
  std::string name;  // in job names
  std::string description;
  Recipe recipe;
  std::vector<BitWidths> points;  // at which it is measured
};

/// All, in the order of the study.
const std::vector<Method>& limit_methods();
/// Throws kUsage for a name that none has.
const Method& limit_method(std::string_view name);

}  // namespace qlimit
