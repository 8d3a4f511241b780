// One layer by itself: what it is given, what it ought to put out, and how far from that other weights are.
//
// The inputs x~ are those of the integer model, with all errors of the layers before; the targets are the
// outputs of the float model. So weights that come close to the targets make up for earlier errors, too
// (Nagel et al., ICML 2020, equation 25, "asymmetric reconstruction"):
//
//   error(W~) = mean of (f(W~ x~ + b~) - f(W x + b))^2          f: the activation
#pragma once

#include <cstdint>
#include <vector>

#include "core/variable.h"
#include "quant/quantized_graph.h"

namespace qlimit {

/// factor * mean of (activation(y) - target)^2, a scalar. y, target: one shape. Where the activation clamps
/// there is no gradient.
Variable squared_error(const Variable& y, Activation activation, const Tensor<Real>& target, double factor);

class LayerReconstruction {
 public:
  /// Records inputs and targets of node `i`, which has int8 weights, on images [N,...]; of fewer images if
  /// those of all take more than kMostBytes. The bias is that of the integers.
  LayerReconstruction(const QuantizedGraph& q, size_t i, const Graph& reference, const Tensor<float>& images);

  static constexpr int64_t kMostBytes = int64_t{1} << 28;

  /// How many runs of the graph are recorded; a traced graph takes one image a run.
  int64_t runs() const { return runs_; }
  /// factor * error of real weights on some of the runs.
  Variable error(const Variable& weight, const std::vector<int64_t>& runs, double factor) const;
  /// The error of integer weights on all runs.
  double error(const Tensor<int8_t>& weight) const;

 private:
  const Node& node() const { return graph_.nodes[node_]; }
  Variable output(const Tensor<float>& x, const Variable& weight) const;

  const Graph& graph_;
  size_t node_;
  QuantizedFilter filter_;  // whose grid and bias stay
  Variable bias_;
  int64_t runs_;
  Tensor<float> inputs_, targets_;
};

}  // namespace qlimit
