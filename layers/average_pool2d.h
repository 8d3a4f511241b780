// Average pooling: each output is the mean of what its window covers of the image. Padding is not counted: at
// the border the mean is over fewer pixels, as in TFLite (PyTorch: count_include_pad=False).
//
//   y[n,p,c]     = 1/|T(p)| * sum over q in T(p) of x[n,q,c]
//   dL/dx[n,q,c] = sum over p with q in T(p) of dL/dy[n,p,c] / |T(p)|
//
// where T(p) are the pixels inside the image under the window of output pixel p (core/window.h).
#pragma once

#include "core/window.h"
#include "layers/layer.h"

namespace qlimit {

/// x: [N,H,W,C] -> [N,OH,OW,C]. Throws kUsage for a window that does not fit or is dilated.
Variable average_pool2d(const Variable& x, const Window& window);

class AveragePool2D : public Layer {
 public:
  explicit AveragePool2D(const Window& window) : window_(window) {}
  Variable forward(const Variable& x) override { return average_pool2d(x, window_); }

 private:
  Window window_;
};

}  // namespace qlimit
