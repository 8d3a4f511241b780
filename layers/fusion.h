// Neighbouring layers that are computed in one pass over memory while training.
//
// A training step of a small net is bound by memory, not by arithmetic: batch norm, ReLU and max pool do next
// to nothing with each number that they read and write, and a batch of activations is larger than the second
// cache. One by one they take 20 passes over the activations of their convolution, forward and backward;
// together they take 3: the convolution writes them, the map and pool read them, and so does the way back,
// which makes the gradient of one image at a time, in the cache, where the convolution's gradients use it.
// The results are the same: clamp and maximum are applied where they were; only sums may run in another
// order.
//
//   [C] BatchNorm2D [ReLU or ReLU6 [MaxPool2D]]       [C] ReLU or ReLU6 [MaxPool2D]
//
// with a convolution C, Conv2D or DepthwiseConv2D, and a max pool of 2x2 and stride 2 over an image of even
// size. In evaluation every layer is computed by itself: tracing (quant/trace.h) sees the layers as they were
// written, and does its own fusing.
#pragma once

#include <memory>
#include <vector>

#include "layers/layer.h"

namespace qlimit {

/// Computes layers[first], with those behind it that one form has together with it. Sets `x` to their result
/// and returns how many layers were taken, at least one.
size_t forward_fused(const std::vector<std::shared_ptr<Layer>>& layers, size_t first, Variable& x);

}  // namespace qlimit
