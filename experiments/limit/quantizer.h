// From a trained net to integers, by any recipe of the study. What several recipes need (folded and equalized
// graphs, calibrated ranges, sensitivities) is computed once.
//
//   Quantizer quantizer(load_net(path, plan, key), data, plan.calibration_images);
//   const QuantizedGraph q = quantizer.quantize(limit_method("mse").recipe, BitWidths{4, 4});
//   const int64_t correct = quantizer.count_correct(q);
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "experiments/limit/methods.h"
#include "experiments/limit/trained_net.h"
#include "experiments/measure.h"
#include "quant/float_executor.h"
#include "quant/quantize.h"
#include "quant/remedies/mixed_precision.h"
#include "quant/remedies/moments.h"

namespace qlimit {

class Quantizer {
 public:
  /// The calibration images are drawn from the training images by the net's seed; a smaller number of them is
  /// a part of a larger one. `data` must outlive the object.
  Quantizer(TrainedNet net, const StudyData& data, int64_t calibration_images);

  QuantizedGraph quantize(const Recipe& recipe, const BitWidths& bits);
  /// The same with a width for each node's weights and each value (QuantizeOptions), by minimum and maximum.
  QuantizedGraph quantize(const std::vector<int>& node_weight_bits, const std::vector<int>& value_bits);

  /// Of the test images.
  int64_t count_correct(const QuantizedGraph& q) const;
  int64_t count_correct_fp32() const;

  const TrainedNet& net() const { return net_; }
  const FloatExecutor& executor() const { return *plain_.executor; }
  const Graph& graph() const { return plain_.executor->graph(); }
  const Tensor<float>& calibration_images() const { return images_; }

 private:
  // A folded graph, equalized or not, with what calibration made of it.
  struct Source {
    std::shared_ptr<const FloatExecutor> executor;
    ActivationMoments moments;
    std::map<std::pair<CalibrationMethod, int>, Ranges> ranges;
  };

  Source make_source(bool equalizes) const;
  Source& source(bool equalizes);
  const Ranges& ranges(Source& source, CalibrationMethod method, int bits);
  std::vector<int> widths_within(const BitWidths& budget, const QuantizeOptions& options,
                                 const Ranges& ranges);
  int64_t count_correct(const Engine& engine) const;

  TrainedNet net_;
  const StudyData& data_;
  Dataset calibration_;
  Tensor<float> images_;  // of calibration_, normalized
  Source plain_;
  std::optional<Source> equalized_;
  std::map<int, std::vector<NodeSensitivity>> sensitivities_;  // by the activations' bits
};

}  // namespace qlimit
