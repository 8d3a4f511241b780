#include "layers/fusion.h"

#include <limits>
#include <optional>

#include "core/kernels/pool.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/convolution_gradients.h"
#include "layers/depthwise_conv2d.h"
#include "layers/depthwise_convolution.h"
#include "layers/map_and_pool.h"
#include "layers/max_pool2d.h"
#include "layers/normalization_step.h"
#include "layers/relu.h"

namespace qlimit {
namespace {

using Layers = std::vector<std::shared_ptr<Layer>>;

const Layer* layer_at(const Layers& layers, size_t i) {
  return i < layers.size() ? layers[i].get() : nullptr;
}

/// The upper bound of a ReLU or ReLU6; none for other layers.
std::optional<Real> clamp_of(const Layer* layer) {
  if (dynamic_cast<const ReLU*>(layer)) return std::numeric_limits<Real>::infinity();
  if (dynamic_cast<const ReLU6*>(layer)) return Real(6);
  return std::nullopt;
}

/// A max pool that can be fused, laid over images of this shape.
std::optional<WindowGeometry> pool_of(const Layer* layer, const Shape& image) {
  const auto* pool = dynamic_cast<const MaxPool2D*>(layer);
  if (!pool) return std::nullopt;
  const WindowGeometry g = lay_pool("max_pool2d", pool->window(), image);
  return pools_squares(g) ? std::optional(g) : std::nullopt;
}

/// The layers from `first` on that are one map of x [N,H,W,C]: a batch norm, a clamp, a max pool behind the
/// clamp.
struct Tail {
  std::shared_ptr<BatchNorm2D> norm;
  ClampAndPool rest;
  size_t layers = 0;

  Tail(const Layers& all, size_t first, const Shape& x) {
    if (first < all.size()) norm = std::dynamic_pointer_cast<BatchNorm2D>(all[first]);
    // One that is frozen normalizes by its running statistics; one of other channels reports that itself.
    if (norm && (!norm->training() || norm->gamma().shape() != Shape{x[3]})) norm = nullptr;
    layers = norm ? 1 : 0;
    const std::optional<Real> high = clamp_of(layer_at(all, first + layers));
    if (!high) return;
    rest = {.low = 0, .high = *high, .pool = pool_of(layer_at(all, first + layers + 1), x)};
    layers += rest.pool ? 2 : 1;
  }
};

Variable clamp_and_pool(const Variable& x, const ClampAndPool& tail) {
  const MapAndPool y(x.value(), ChannelMap(x.shape()[3], tail.low, tail.high), tail.pool);
  return record(y.output(), {.name = fused_name("", tail)}, {x}, [=](const Tensor<Real>& upstream) {
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    y.backward(0, x.shape()[0], upstream, ChannelMapGradient(x.shape()[3]), dx.data());
    x.add_grad(dx);
  });
}

/// A convolution and all that follows, forward and backward. The gradient of the convolution's output is
/// computed image by image, where it is used at once: it never exists as a whole.
template <typename Conv>
class ConvBlock {
 public:
  template <typename ConvLayer>
  ConvBlock(const char* name, const Variable& x, const ConvLayer& layer, const Conv& conv)
      : name_(name),
        x_(x),
        weight_(layer.weight()),
        bias_(layer.bias()),
        window_(layer.window()),
        conv_(conv) {}

  Variable clamped(const ClampAndPool& tail) const {
    const MapAndPool rest(convolved(nullptr), ChannelMap(conv_.out_channels, tail.low, tail.high), tail.pool);
    return record(rest.output(), operation(fused_name(name_, tail)), {x_, weight_, bias_},
                  [*this, rest](const Tensor<Real>& upstream) {
                    add_gradients(rest, upstream, ChannelMapGradient(conv_.out_channels));
                  });
  }

  Variable normalized(BatchNorm2D& norm, const ClampAndPool& tail) const {
    const Variable gamma = norm.gamma(), beta = norm.beta();
    ChannelMomentParts parts(conv_.g.batch, conv_.out_channels);
    const Tensor<Real> y =
        convolved([&](int64_t n, const Real* image) { parts.take(n, conv_.g.out_pixels(), image); });
    const ChannelMoments moments = parts.merged();
    const int64_t rows = conv_.g.batch * conv_.g.out_pixels();
    norm.follow(moments, rows);

    const NormalizationStep step(moments, rows, gamma.value(), beta.value(), norm.options().epsilon);
    const MapAndPool rest(y, step.map(tail.low, tail.high), tail.pool);
    return record(rest.output(), operation(fused_name(concat(name_, " + batch_norm"), tail)),
                  {x_, weight_, bias_, gamma, beta},
                  [*this, gamma, beta, moments, step, rest](const Tensor<Real>& upstream) {
                    const ChannelGradientSums sums = rest.gradient_sums(moments.mean, upstream);
                    step.add_parameter_gradients(sums, gamma, beta);
                    add_gradients(rest, upstream, step.input_gradient(sums));
                  });
  }

 private:
  Operation operation(const std::string& name) const {
    return {.name = name, .options = window_, .multiply_adds = conv_.multiply_adds()};
  }

  Tensor<Real> convolved(const ImageDone& done) const {
    return convolve(conv_, x_.value(), weight_.value(), bias_ ? bias_.value().data() : nullptr, done);
  }

  void add_gradients(const MapAndPool& rest, const Tensor<Real>& upstream,
                     const ChannelMapGradient& gradient) const {
    add_convolution_gradients(conv_, x_, weight_, bias_, [&](int64_t n, Real* room) {
      rest.backward(n, n + 1, upstream, gradient, room);
      return room;
    });
  }

  const char* name_;
  Variable x_, weight_, bias_;
  Window window_;
  Conv conv_;
};

/// The convolution layers[first] with what follows it, if there is something: as forward_fused, or 0.
template <typename Conv, typename ConvLayer>
size_t forward_block(const char* name, const ConvLayer& layer, const Conv& conv, const Layers& layers,
                     size_t first, Variable& x) {
  const Tail tail(layers, first + 1, {conv.g.batch, conv.g.out_h, conv.g.out_w, conv.out_channels});
  if (tail.layers == 0) return 0;
  const ConvBlock<Conv> block(name, x, layer, conv);
  x = tail.norm ? block.normalized(*tail.norm, tail.rest) : block.clamped(tail.rest);
  return 1 + tail.layers;
}

/// The same for what may be no convolution.
size_t forward_convolution(const Layers& layers, size_t first, Variable& x) {
  const Layer* layer = layers[first].get();
  const auto lay = [&](const auto& lay_out, const auto& conv) {
    return lay_out(x.shape(), conv.weight().shape(), conv.bias() ? &conv.bias().shape() : nullptr,
                   conv.window());
  };
  if (const auto* conv = dynamic_cast<const Conv2D*>(layer))
    return forward_block("conv2d", *conv, lay(lay_convolution, *conv), layers, first, x);
  if (const auto* conv = dynamic_cast<const DepthwiseConv2D*>(layer))
    return forward_block("depthwise_conv2d", *conv, lay(lay_depthwise, *conv), layers, first, x);
  return 0;
}

/// A batch norm or clamp layers[first] with what follows it, likewise.
size_t forward_map(const Layers& layers, size_t first, Variable& x) {
  const Tail tail(layers, first, x.shape());
  if (tail.layers < 2) return 0;
  x = tail.norm ? tail.norm->forward_training(x, tail.rest) : clamp_and_pool(x, tail.rest);
  return tail.layers;
}

}  // namespace

size_t forward_fused(const Layers& layers, size_t first, Variable& x) {
  Layer& layer = *layers[first];
  if (layer.training() && x.shape().rank() == 4 && x.shape().size() > 0) {
    if (const size_t taken = forward_convolution(layers, first, x)) return taken;
    if (const size_t taken = forward_map(layers, first, x)) return taken;
  }
  x = layer(x);
  return 1;
}

}  // namespace qlimit
