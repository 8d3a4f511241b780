// What one node of an integer graph has to compute, worked out in double from the integers that it is given:
// every number stands for scale * (q - zero_point), the operation is done in real numbers, and the result is
// brought to the output's grid. No part of the integer engine takes part in it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/window.h"
#include "quant/overloaded.h"
#include "quant/quantize.h"

namespace qlimit {

using Reals = std::vector<double>;

inline Reals reals_of(const Tensor<int8_t>& integers, AffineParams params) {
  Reals reals;
  for (int8_t q : integers) {
    reals.push_back(static_cast<double>(params.scale) * (int32_t{q} - params.zero_point));
  }
  return reals;
}

inline double clamped(double x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::kReluN1To1:
      return std::clamp(x, -1.0, 1.0);
    case Activation::kNone:
      break;
  }
  return x;
}

/// Calls body(output element, input element, filter element) for each product of a (depthwise) convolution.
template <typename Body>
void for_each_product(const Window& window, const Shape& input, int64_t out_channels, bool is_depthwise,
                      const Body& body) {
  const WindowGeometry g = lay_window("definition", window, input);
  const int64_t taps = window.kernel_h * window.kernel_w;
  for (int64_t n = 0; n < g.batch; ++n) {
    for_each_tap(g, [&](int64_t to, int64_t tap, int64_t from) {
      const int64_t y = (n * g.out_pixels() + to) * out_channels;
      const int64_t x = (n * g.in_h * g.in_w + from) * g.channels;
      for (int64_t o = 0; o < out_channels; ++o) {
        if (is_depthwise) {
          body(y + o, x + o / (out_channels / g.channels), tap * out_channels + o);
          continue;
        }
        for (int64_t c = 0; c < g.channels; ++c) body(y + o, x + c, (o * taps + tap) * g.channels + c);
      }
    });
  }
}

/// The numbers that node i computes, before they are rounded. all: the activations, by ValueId.
inline Reals defined_result(const QuantizedGraph& q, size_t i, const std::vector<Tensor<int8_t>>& all) {
  const Node& node = q.graph.nodes[i];
  const QuantizedFilter& filter = q.filters[i];
  const auto integers = [&](size_t k) { return all[static_cast<size_t>(node.inputs[k])]; };
  const Shape shape = integers(0).shape();
  const Reals x = reals_of(integers(0), q.params_of(node.inputs[0]));
  Reals y(static_cast<size_t>(all[static_cast<size_t>(node.output)].size()), 0.0);

  const double input_scale = q.params_of(node.inputs[0]).scale;
  const auto scale = [&](int64_t channel) {
    return static_cast<double>(filter.scales[filter.scales.size() == 1 ? 0 : static_cast<size_t>(channel)]);
  };
  const auto channels = static_cast<int64_t>(filter.bias.size());
  const auto product = [&](int64_t to, int64_t from, int64_t weight) {
    y[static_cast<size_t>(to)] += x[static_cast<size_t>(from)] * filter.weight[weight] * scale(to % channels);
  };
  const auto finish = [&](Activation activation) {
    for (size_t k = 0; k < y.size(); ++k) {
      const auto channel = static_cast<int64_t>(k) % channels;
      y[k] += input_scale * scale(channel) * filter.bias[static_cast<size_t>(channel)];
      y[k] = clamped(y[k], activation);
    }
  };
  const auto apply = [&](const auto& f) { std::transform(x.begin(), x.end(), y.begin(), f); };
  const auto pool = [&](const Window& window, Activation activation, bool takes_most) {
    const int64_t c = shape[3];
    std::vector<Reals> seen(y.size());
    for_each_product(window, shape, c, true, [&](int64_t to, int64_t from, int64_t) {
      seen[static_cast<size_t>(to)].push_back(x[static_cast<size_t>(from)]);
    });
    for (size_t k = 0; k < y.size(); ++k) {
      double sum = 0;
      for (double v : seen[k]) sum += v;
      y[k] = takes_most ? *std::max_element(seen[k].begin(), seen[k].end())
                        : sum / static_cast<double>(seen[k].size());
      y[k] = clamped(y[k], activation);
    }
  };

  std::visit(
      Overloaded{[&](const op::Conv2D& o) {
                   for_each_product(o.window, shape, channels, false, product);
                   finish(o.activation);
                 },
                 [&](const op::DepthwiseConv2D& o) {
                   for_each_product(o.window, shape, channels, true, product);
                   finish(o.activation);
                 },
                 [&](const op::Dense& o) {
                   const int64_t inputs = filter.weight.dim(1);
                   for (int64_t n = 0; n < shape.size() / inputs; ++n)
                     for (int64_t c = 0; c < channels; ++c)
                       for (int64_t k = 0; k < inputs; ++k)
                         product(n * channels + c, n * inputs + k, c * inputs + k);
                   finish(o.activation);
                 },
                 [&](const op::MaxPool2D& o) { pool(o.window, o.activation, true); },
                 [&](const op::AveragePool2D& o) { pool(o.window, o.activation, false); },
                 [&](const op::Mean&) {  // over rows and columns
                   const int64_t pixels = shape[1] * shape[2], c = shape[3];
                   for (size_t k = 0; k < x.size(); ++k) {
                     const auto at = static_cast<int64_t>(k);
                     y[static_cast<size_t>(at / (pixels * c) * c + at % c)] +=
                         x[k] / static_cast<double>(pixels);
                   }
                 },
                 [&](const op::Add& o) {
                   const Reals second = reals_of(integers(1), q.params_of(node.inputs[1]));
                   for (size_t k = 0; k < y.size(); ++k) y[k] = clamped(x[k] + second[k], o.activation);
                 },
                 [&](const op::Clamp& o) { apply([&](double v) { return clamped(v, o.activation); }); },
                 [&](const op::Logistic&) { apply([](double v) { return 1 / (1 + std::exp(-v)); }); },
                 [&](const op::Tanh&) { apply([](double v) { return std::tanh(v); }); },
                 [&](const op::Pointwise& o) { apply(o.function); },
                 [&](const op::Softmax& o) {
                   const auto classes = static_cast<size_t>(shape[-1]);
                   for (size_t k = 0; k < x.size(); k += classes) {
                     double sum = 0;
                     for (size_t c = 0; c < classes; ++c) sum += std::exp(o.beta * x[k + c]);
                     for (size_t c = 0; c < classes; ++c) y[k + c] = std::exp(o.beta * x[k + c]) / sum;
                   }
                 },
                 [&](const op::Reshape&) { y = x; },
                 [&](const auto&) { y.assign(y.size(), std::nan("")); }},  // not in random graphs
      node.op);
  return y;
}

/// A real number in steps of a grid, not yet rounded: x / scale + zero_point within [low, high].
inline double on_grid(double x, const AffineParams& params) {
  return std::clamp<double>(x / static_cast<double>(params.scale) + params.zero_point, params.low(),
                            params.high());
}

}  // namespace qlimit
