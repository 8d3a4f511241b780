#include "layers/fusion.h"

#include <limits>
#include <optional>

#include "core/kernels/pool.h"
#include "layers/batch_norm2d.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"

namespace qlimit {
namespace {

/// The upper bound of a ReLU or ReLU6; none for other layers.
std::optional<Real> clamp_of(const Layer* layer) {
  if (dynamic_cast<const ReLU*>(layer)) return std::numeric_limits<Real>::infinity();
  if (dynamic_cast<const ReLU6*>(layer)) return Real(6);
  return std::nullopt;
}

/// A max pool that can be fused, laid over images of this shape.
std::optional<WindowGeometry> pool_of(const Layer* layer, const Shape& image) {
  const auto* pool = dynamic_cast<const MaxPool2D*>(layer);
  if (!pool || image.rank() != 4) return std::nullopt;
  const WindowGeometry g = lay_pool("max_pool2d", pool->window(), image);
  return pools_squares(g) ? std::optional(g) : std::nullopt;
}

/// max_pool2d(clamp(x, 0, high))
Variable clamp_and_pool(const Variable& x, Real high, const WindowGeometry& g) {
  const ChannelMap map = ChannelMap::clamp(g.channels, 0, high);
  const Shape pooled{g.batch, g.out_h, g.out_w, g.channels};
  Tensor<Real> y = Tensor<Real>::uninitialized(pooled);
  Tensor<Real> peaks = Tensor<Real>::uninitialized(pooled);
  Tensor<Real> taps = Tensor<Real>::uninitialized(pooled);
  map_and_pool(g, x.value().data(), map, y.data(), peaks.data(), taps.data());
  return record(std::move(y), {.name = "relu_max_pool2d"}, {x}, [=](const Tensor<Real>& upstream) {
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    map_and_pool_backward(g, x.value().data(), map, upstream.data(), taps.data(),
                          ChannelMapGradient::identity(g.channels), dx.data());
    x.add_grad(dx);
  });
}

}  // namespace

size_t forward_fused(const std::vector<std::shared_ptr<Layer>>& layers, size_t first, Variable& x) {
  const auto layer = [&](size_t i) { return first + i < layers.size() ? layers[first + i].get() : nullptr; };
  auto* norm = dynamic_cast<BatchNorm2D*>(layer(0));
  const size_t clamp_at = norm ? 1 : 0;
  const std::optional<Real> high = clamp_of(layer(clamp_at));
  if (high && layer(0)->training()) {
    const auto pool = pool_of(layer(clamp_at + 1), x.shape());
    if (norm) {
      x = norm->forward_training(x, {.low = 0, .high = *high, .pool = pool});
      return pool ? 3 : 2;
    }
    if (pool) {
      x = clamp_and_pool(x, *high, *pool);
      return 2;
    }
  }
  x = (*layers[first])(x);
  return 1;
}

}  // namespace qlimit
