#include "experiments/limit/methods.h"

#include "core/error.h"

namespace qlimit {
namespace {

using Points = std::vector<BitWidths>;

constexpr Granularity kPerTensor = Granularity::kPerTensor;
constexpr CalibrationMethod kMse = CalibrationMethod::kMse;

// The heat map: all pairs but for those with 7 bits, of which the diagonal and the borders are enough.
Points every_pair() {
  Points points = {{7, 7}, {7, 8}, {8, 7}};
  for (const int w : {8, 6, 5, 4, 3, 2})
    for (const int a : {8, 6, 5, 4, 3, 2}) points.push_back({w, a});
  return points;
}

// Where a method breaks if both are as wide as each other, and which of the two it is that breaks.
const Points kBoth = {{8, 8}, {6, 6}, {5, 5}, {4, 4}, {3, 3}, {2, 2}, {4, 8}, {8, 4}};
const Points kWeights = {{6, 8}, {5, 8}, {4, 8}, {3, 8}, {2, 8}, {4, 4}};
const Points kActivations = {{8, 6}, {8, 5}, {8, 4}, {8, 3}, {8, 2}, {4, 4}};
// Budgets: the bytes of so many bits a weight.
const Points kBudgets = {{6, 8}, {5, 8}, {4, 8}, {3, 8}};
// What takes long is measured where rounding matters most.
const Points kNarrowWeights = {{4, 8}, {3, 8}, {2, 8}, {4, 4}};
// Each of these is a training.
const Points kTrained = {{4, 4}, {3, 3}, {2, 2}, {4, 8}};

std::vector<Method> table() {
  return {
      {"min_max", "minimum and maximum, one scale a channel", {}, every_pair()},
      {"min_max_tensor", "the same, one scale a layer", {.scales = kPerTensor}, kBoth},
      {"moving_average",
       "moving averages of the activations' range",
       {.activations = CalibrationMethod::kMovingAverage},
       kActivations},
      {"percentile",
       "99.99 % of the activations",
       {.activations = CalibrationMethod::kPercentile},
       kActivations},
      {"mse", "the activations' range of least squared error", {.activations = kMse}, kActivations},
      {"entropy",
       "the activations' range of least divergence",
       {.activations = CalibrationMethod::kEntropy},
       kActivations},
      {"weight_percentile", "99.9 % of the weights", {.weights = WeightRangeMethod::kPercentile}, kWeights},
      {"weight_mse",
       "the weights' range of least squared error",
       {.weights = WeightRangeMethod::kMse},
       kWeights},
      {"mse_both",
       "weights' and activations' ranges of least squared error",
       {.activations = kMse, .weights = WeightRangeMethod::kMse},
       kBoth},
      {"adaround",
       "the same ranges, each weight rounded down or up as learned from images",
       {.activations = kMse, .weights = WeightRangeMethod::kMse, .learns_rounding = true},
       kNarrowWeights},
      {"equalize_tensor",
       "cross-layer equalization, one scale a layer",
       {.scales = kPerTensor, .equalizes = true},
       kBoth},
      {"bias", "bias correction from images", {.bias = BiasCorrection::kFromImages}, kWeights},
      {"bias_analytic",
       "bias correction from batch norms",
       {.bias = BiasCorrection::kFromBatchNorms},
       kWeights},
      {"equalize_bias_tensor",
       "equalization, then bias correction from images, one scale a layer",
       {.scales = kPerTensor, .equalizes = true, .bias = BiasCorrection::kFromImages},
       kBoth},
      {"mixed", "each layer its own width, under a budget of bytes", {.mixes_widths = true}, kBudgets},
      {"qat", "a short training with moving ranges", {.trains = GridScheme::kMinMax}, kTrained},
      {"lsq", "a short training with learned steps", {.trains = GridScheme::kLearned}, kTrained},
  };
}

}  // namespace

const std::vector<Method>& limit_methods() {
  static const std::vector<Method> methods = table();
  return methods;
}

const Method& limit_method(std::string_view name) {
  for (const Method& method : limit_methods())
    if (method.name == name) return method;
  std::string known;
  for (const Method& method : limit_methods()) known += (known.empty() ? "" : ", ") + method.name;
  throw Error(ErrorKind::kUsage,
              {.what = "no such method", .expected = "one of " + known, .found = std::string(name)});
}

}  // namespace qlimit
