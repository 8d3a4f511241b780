#include "layers/map_and_pool.h"

#include <cmath>

#include "core/error.h"
#include "core/kernels/pool.h"

namespace qlimit {

std::string fused_name(const std::string& first, const ClampAndPool& rest) {
  std::string name = first;
  const auto add = [&](const char* next) { name += concat(name.empty() ? "" : " + ", next); };
  if (rest.low == 0) add(std::isfinite(rest.high) ? "relu6" : "relu");
  if (rest.pool) add("max_pool2d");
  return name;
}

MapAndPool::MapAndPool(const Tensor<Real>& x, const ChannelMap& map,
                       const std::optional<WindowGeometry>& pool)
    : x_(x), map_(map), pool_(pool) {
  if (!pool) {
    y_ = Tensor<Real>::uninitialized(x.shape());
    channel_map(x.size() / map.channels(), x.data(), map, y_.data());
    return;
  }
  const Shape pooled{pool->batch, pool->out_h, pool->out_w, pool->channels};
  for (Tensor<Real>* result : {&y_, &peaks_, &taps_}) *result = Tensor<Real>::uninitialized(pooled);
  map_and_pool(*pool, x.data(), map, y_.data(), peaks_.data(), taps_.data());
}

ChannelGradientSums MapAndPool::gradient_sums(const std::vector<double>& mean,
                                              const Tensor<Real>& upstream) const {
  const Tensor<Real>& x = pool_ ? peaks_ : x_;
  return channel_gradient_sums(x.size() / map_.channels(), x.data(), mean, map_, upstream.data());
}

void MapAndPool::backward(int64_t begin, int64_t end, const Tensor<Real>& upstream,
                          const ChannelMapGradient& gradient, Real* dx) const {
  const Real* x = x_.data() + begin * image_size();
  const int64_t above = begin * (y_.size() / y_.dim(0));
  if (pool_) {
    WindowGeometry g = *pool_;
    g.batch = end - begin;
    map_and_pool_backward(g, x, map_, upstream.data() + above, taps_.data() + above, gradient, dx);
  } else {
    const int64_t rows = (end - begin) * image_size() / map_.channels();
    channel_map_backward(rows, x, map_, upstream.data() + above, gradient, dx);
  }
}

}  // namespace qlimit
