// A map per channel with a clamp and a max pool behind it, computed together: what follows a convolution.
//
//   y = max_pool(clamp(x * scale[c] + shift[c], low, high)),     the pool if there is one
//
// The pool's window is 2x2 with stride 2 (pools_squares in core/kernels/pool.h). This is arithmetic on
// tensors: batch_norm2d.cpp and fusion.cpp put it on the tape.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/kernels/channel.h"
#include "core/tensor.h"
#include "core/window.h"

namespace qlimit {

/// What can follow a map in the same pass over memory (layers/fusion.h): a clamp, and a 2x2 max pool of which
/// the image is a whole number.
struct ClampAndPool {
  Real low = -std::numeric_limits<Real>::infinity();
  Real high = std::numeric_limits<Real>::infinity();
  std::optional<WindowGeometry> pool;
};

/// The name of an operation with what follows: "conv2d + relu6 + max_pool2d". `first` may be empty.
std::string fused_name(const std::string& first, const ClampAndPool& rest);

class MapAndPool {
 public:
  /// x: [N,H,W,C], kept. Computes y.
  MapAndPool(const Tensor<Real>& x, const ChannelMap& map, const std::optional<WindowGeometry>& pool);

  /// [N,H,W,C], or pooled.
  const Tensor<Real>& output() const { return y_; }
  /// Elements of one image of x.
  int64_t image_size() const { return x_.size() / x_.dim(0); }

  /// As channel_gradient_sums; upstream: like the output.
  ChannelGradientSums gradient_sums(const std::vector<double>& mean, const Tensor<Real>& upstream) const;

  /// d loss / d x of the images [begin, end), which dx is for.
  void backward(int64_t begin, int64_t end, const Tensor<Real>& upstream, const ChannelMapGradient& gradient,
                Real* dx) const;

 private:
  Tensor<Real> x_, y_;
  ChannelMap map_;
  std::optional<WindowGeometry> pool_;
  Tensor<Real> peaks_, taps_;
};

}  // namespace qlimit
