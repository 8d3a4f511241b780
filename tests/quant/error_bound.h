// How far an integer model may be from the float one: a bound for every number, derived from the scales.
//
// With s the scale of a tensor and E its bound: rounding to a grid costs s/2, and a value of the calibrated
// range lies at most s/2 outside the grid, since the zero point is rounded; both together cost s/2 too (a
// clamped value errs by its distance to the grid's end, a rounded one by rounding). A linear layer adds
//   sum |w_q| E_x  +  sum |x| s_w/2  +  s_in s_w/2  (input error, weight error, bias error)
// and rounds its result. Max pooling and ReLU change no distance by more than the largest one that enters;
// ReLU6's clamp is itself rounded, s/2. The fixed-point multipliers err by 2^-31, the two roundings of one
// requantization by at most 2^-7 steps over one rounding: kRounding covers these.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "quant/float_executor.h"
#include "quant/overloaded.h"
#include "quant/quantize.h"

namespace qlimit {

inline constexpr double kRounding = 0.51;

/// A graph of one node, so that the float executor can apply its linear part to something else.
inline Tensor<float> apply_node(const Op& op, const Tensor<float>& x, const Tensor<float>* weight = nullptr) {
  Graph graph;
  std::vector<ValueId> inputs = {graph.add_input("x", x.shape())};
  if (weight) inputs.push_back(graph.add_constant("w", *weight));
  graph.add(op, inputs);
  return FloatExecutor(graph).run(x);
}

inline Tensor<float> absolute(const Tensor<float>& x) {
  Tensor<float> y = x.clone();
  for (float& v : y) v = std::abs(v);
  return y;
}

inline Op without_activation(Op op) {
  if (Activation* activation = fused_activation(op)) *activation = Activation::kNone;
  return op;
}

/// The bound of a layer with weights, before its output is rounded.
inline Tensor<float> linear_bound(const QuantizedGraph& q, size_t node_index, const Tensor<float>& x,
                                  const Tensor<float>& x_bound) {
  const Node& node = q.graph.nodes[node_index];
  const QuantizedFilter& filter = q.filters[node_index];
  const int axis = channel_axis(node.op);
  int64_t inner = 1;
  for (int i = axis + 1; i < filter.weight.rank(); ++i) inner *= filter.weight.dim(i);
  const int64_t channels = filter.weight.dim(axis);
  const auto scale = [&](int64_t c) {
    return filter.scales.size() == 1 ? filter.scales[0] : filter.scales[static_cast<size_t>(c)];
  };

  Tensor<float> weight_sizes = Tensor<float>::uninitialized(filter.weight.shape());
  Tensor<float> weight_errors = Tensor<float>::uninitialized(filter.weight.shape());
  for (int64_t i = 0; i < filter.weight.size(); ++i) {
    const float s = scale(i / inner % channels);
    weight_sizes[i] = std::abs(static_cast<float>(filter.weight[i])) * s;
    weight_errors[i] = s / 2;
  }
  const Op op = without_activation(node.op);
  Tensor<float> bound = apply_node(op, x_bound, &weight_sizes);
  const Tensor<float> from_weights = apply_node(op, absolute(x), &weight_errors);
  const float s_in = q.params[static_cast<size_t>(node.inputs[0])].scale;
  for (int64_t i = 0; i < bound.size(); ++i) bound[i] += from_weights[i] + s_in * scale(i % channels) / 2;
  return bound;
}

/// For each activation of the graph, how far each number of the integer model may be from `exact` (as
/// record_activations gives them). The ranges must cover `exact`.
inline std::vector<Tensor<float>> error_bounds(const QuantizedGraph& q,
                                               const std::vector<Tensor<float>>& exact) {
  std::vector<Tensor<float>> bounds(exact.size());
  const auto scale_of = [&](ValueId id) { return q.params[static_cast<size_t>(id)].scale; };
  const auto plus = [](Tensor<float> bound, double more) {
    for (float& b : bound) b = static_cast<float>(b + more);
    return bound;
  };
  const ValueId input = q.graph.input;
  bounds[static_cast<size_t>(input)] = Tensor<float>::full(exact[static_cast<size_t>(input)].shape(),
                                                           static_cast<float>(kRounding * scale_of(input)));

  for (size_t i = 0; i < q.graph.nodes.size(); ++i) {
    const Node& node = q.graph.nodes[i];
    const Tensor<float>& x = exact[static_cast<size_t>(node.inputs[0])];
    const Tensor<float>& before = bounds[static_cast<size_t>(node.inputs[0])];
    const double s = scale_of(node.output);
    const Activation* fused = fused_activation(node.op);
    const double rounding = s * (fused && *fused == Activation::kRelu6 ? 2 : 1) * kRounding;
    const auto lipschitz = [&](float factor) {
      Tensor<float> bound = before.clone();
      for (float& b : bound) b *= factor;
      return bound;
    };
    const auto linear = [&] { return plus(linear_bound(q, i, x, before), rounding); };
    bounds[static_cast<size_t>(node.output)] = std::visit(
        Overloaded{
            [&](const op::Conv2D&) { return linear(); }, [&](const op::DepthwiseConv2D&) { return linear(); },
            [&](const op::Dense&) { return linear(); },
            [&](const op::MaxPool2D&) { return apply_node(node.op, before); },
            [&](const op::AveragePool2D&) { return plus(apply_node(node.op, before), rounding); },
            [&](const op::Mean&) { return plus(apply_node(node.op, before), rounding); },
            [&](const op::Add&) {
              Tensor<float> bound = before.clone();
              const Tensor<float>& second = bounds[static_cast<size_t>(node.inputs[1])];
              for (int64_t k = 0; k < bound.size(); ++k) bound[k] += second[k];
              return plus(bound, rounding);
            },
            [&](const op::Clamp&) { return plus(before.clone(), 2 * rounding); },
            // Sigmoid and tanh are no steeper than 1; their fixed grids end one step before 1.
            [&](const op::Logistic&) { return plus(lipschitz(1.0f), 2 * s); },
            [&](const op::Tanh&) { return plus(lipschitz(1.0f), 2 * s); },
            [&](const op::Pointwise&) { return plus(lipschitz(1.0f), rounding); },
            // |dp| <= max|dz| / 2; the fixed-point exponential and the cut at 255/256 cost up to two steps.
            [&](const op::Softmax&) {
              Tensor<float> bound = before.clone();
              const int64_t classes = bound.dim(-1 + bound.rank());
              for (int64_t begin = 0; begin < bound.size(); begin += classes) {
                const float largest = *std::max_element(bound.data() + begin, bound.data() + begin + classes);
                std::fill_n(bound.data() + begin, classes, largest / 2);
              }
              return plus(bound, 2 * s);
            },
            [&](const op::Reshape&) {
              return before.reshape(exact[static_cast<size_t>(node.output)].shape());
            },
            // Not in random graphs; each has tests of its own.
            [&](const auto&) { return Tensor<float>(); }},
        node.op);
  }
  return bounds;
}

}  // namespace qlimit
