// Max pooling: the largest value of each window, per channel. Places outside of the image do not take part.
#pragma once

#include "core/window.h"
#include "layers/layer.h"

namespace qlimit {

/// x: [N,H,W,C] -> [N,OH,OW,C]. The gradient goes to the first of equal maxima. Throws kUsage for shapes that
/// do not fit, a dilated window, and one of more than 65,536 places.
Variable max_pool2d(const Variable& x, const Window& window);

class MaxPool2D final : public Layer {
 public:
  /// A square window of `size` that moves by its own size, without padding.
  explicit MaxPool2D(int64_t size)
      : MaxPool2D(Window{.kernel_h = size,
                         .kernel_w = size,
                         .stride_h = size,
                         .stride_w = size,
                         .padding = Padding::kValid}) {}
  explicit MaxPool2D(const Window& window) : window_(window) {}
  Variable forward(const Variable& x) override { return max_pool2d(x, window_); }
  const Window& window() const { return window_; }

 private:
  Window window_;
};

}  // namespace qlimit
