// Small random networks for property tests: every operation, every order, awkward sizes.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"
#include "quant/graph.h"

namespace qlimit {

inline Tensor<float> random_tensor(const Shape& shape, Random& rng, double spread = 1.0,
                                   double center = 0.0) {
  Tensor<float> tensor = Tensor<float>::uninitialized(shape);
  for (float& x : tensor) x = static_cast<float>(center + spread * rng.normal());
  return tensor;
}

inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// Adds random nodes to a graph, each with weights that keep activations at about the same size.
class GraphBuilder {
 public:
  GraphBuilder(Random& rng, const Shape& input) : rng_(rng), at_(graph_.add_input("input", input)) {}

  const Graph& graph() const { return graph_; }
  ValueId at() const { return at_; }
  const Shape& shape() const { return graph_.value(at_).shape; }

  GraphBuilder& conv(int64_t out_channels, const Window& window, bool bias,
                     Activation activation = Activation::kNone) {
    const int64_t fan_in = window.kernel_h * window.kernel_w * shape()[3];
    return weighted(op::Conv2D{window, activation},
                    {out_channels, window.kernel_h, window.kernel_w, shape()[3]}, fan_in, out_channels, bias);
  }
  GraphBuilder& depthwise(int64_t multiplier, const Window& window, bool bias,
                          Activation activation = Activation::kNone) {
    const int64_t out_channels = shape()[3] * multiplier;
    return weighted(op::DepthwiseConv2D{window, activation},
                    {1, window.kernel_h, window.kernel_w, out_channels}, window.kernel_h * window.kernel_w,
                    out_channels, bias);
  }
  GraphBuilder& dense(int64_t outputs, bool bias = true, Activation activation = Activation::kNone) {
    return weighted(op::Dense{activation}, {outputs, shape()[1]}, shape()[1], outputs, bias);
  }
  GraphBuilder& batch_norm() {
    const Shape channels = {shape()[-1]};
    const ValueId gamma = constant(random_tensor(channels, rng_, 0.3, 1.0));
    const ValueId beta = constant(random_tensor(channels, rng_, 0.3));
    const ValueId mean = constant(random_tensor(channels, rng_, 0.3));
    Tensor<float> variance = random_tensor(channels, rng_);
    for (float& v : variance) v = 0.1f + v * v;
    return node(op::BatchNorm{rng_.below(2) ? 1e-5 : 1e-3},
                {at_, gamma, beta, mean, constant(std::move(variance))});
  }
  GraphBuilder& add(ValueId other, Activation activation = Activation::kNone) {
    return node(op::Add{activation}, {at_, other});
  }
  GraphBuilder& apply(const Op& op) { return node(op, {at_}); }
  GraphBuilder& flatten() { return apply(op::Reshape{{1, shape().size()}}); }

 private:
  ValueId constant(Tensor<float> data) {
    return graph_.add_constant(concat("c", graph_.values.size()), std::move(data));
  }
  GraphBuilder& node(const Op& op, std::vector<ValueId> inputs) {
    at_ = graph_.add(op, std::move(inputs));
    return *this;
  }
  GraphBuilder& weighted(const Op& op, const Shape& weight, int64_t fan_in, int64_t out_channels, bool bias) {
    const ValueId x = at_;
    std::vector<ValueId> inputs = {
        x, constant(random_tensor(weight, rng_, std::sqrt(1.0 / static_cast<double>(fan_in))))};
    if (bias) inputs.push_back(constant(random_tensor({out_channels}, rng_, 0.3)));
    return node(op, std::move(inputs));
  }

  Random& rng_;
  Graph graph_;
  ValueId at_;
};

inline Window random_window(Random& rng, const Shape& input) {
  Window window;
  window.kernel_h = 1 + rng.below(3);
  window.kernel_w = 1 + rng.below(3);
  window.stride_h = 1 + rng.below(2);
  window.stride_w = 1 + rng.below(2);
  const bool fits = window.kernel_h <= input[1] && window.kernel_w <= input[2];
  window.padding = fits && rng.below(3) == 0 ? Padding::kValid : Padding::kSame;
  return window;
}

/// A network of 3 to 9 stages and a classifier, images of up to 9x9x4. Everything that has an integer form,
/// batch norms in places where they can be folded and where they cannot.
inline Graph random_graph(Random& rng) {
  GraphBuilder net(rng, {1, 3 + rng.below(7), 3 + rng.below(7), 1 + rng.below(4)});
  const auto maybe_normalize_and_clamp = [&] {
    if (rng.below(2)) net.batch_norm();
    const uint32_t kind = rng.below(3);
    if (kind > 0) net.apply(op::Clamp{kind == 1 ? Activation::kRelu : Activation::kRelu6});
  };
  for (uint32_t stages = 3 + rng.below(7); stages > 0; --stages) {
    switch (rng.below(8)) {
      case 0:
      case 1:
        net.conv(1 + rng.below(6), random_window(rng, net.shape()), rng.below(2));
        maybe_normalize_and_clamp();
        break;
      case 2:
        net.depthwise(1 + rng.below(2), random_window(rng, net.shape()), rng.below(2));
        maybe_normalize_and_clamp();
        break;
      case 3: {
        const ValueId shortcut = net.at();
        net.conv(net.shape()[3], {.kernel_h = 3, .kernel_w = 3}, false);
        maybe_normalize_and_clamp();
        net.add(shortcut);
        maybe_normalize_and_clamp();
        break;
      }
      case 4:
        net.apply(op::MaxPool2D{random_window(rng, net.shape())});
        maybe_normalize_and_clamp();
        break;
      case 5:
        net.apply(op::AveragePool2D{random_window(rng, net.shape())});
        break;
      case 6:
        net.apply(rng.below(2) ? Op(op::Logistic{}) : Op(op::Pointwise{"sigmoid", logistic}));
        break;
      default:
        net.apply(op::Tanh{});
        break;
    }
  }
  if (rng.below(2)) {
    net.flatten();
  } else {
    net.apply(op::Mean{.axes = {1, 2}});
  }
  if (rng.below(2)) net.dense(1 + rng.below(8), true).apply(op::Clamp{});
  net.dense(2 + rng.below(8), true);  // with a bias: logits that are always 0 have no scale
  if (rng.below(2)) net.apply(op::Softmax{});
  return net.graph();
}

/// Convolutions large enough that one image is divided among the threads.
inline Graph wide_graph(Random& rng) {
  const Window three = {.kernel_h = 3, .kernel_w = 3}, five = {.kernel_h = 5, .kernel_w = 5};
  GraphBuilder net(rng, {1, 23, 21, 8});
  net.conv(96, three, true, Activation::kRelu).depthwise(2, five, true);
  net.conv(32, {}, true, Activation::kRelu6);
  return net.apply(op::MaxPool2D{three}).apply(op::Mean{.axes = {1, 2}}).dense(5).graph();
}

}  // namespace qlimit
