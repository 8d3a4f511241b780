// Global average pooling: each channel's mean over the whole image, instead of a large dense layer at the end
// of a network (Lin, Chen, Yan, "Network in network", ICLR 2014, section 3.2).
//
//   y[n,c] = 1/(H*W) * sum over h,w of x[n,h,w,c]          dL/dx[n,h,w,c] = dL/dy[n,c] / (H*W)
#pragma once

#include "layers/layer.h"

namespace qlimit {

/// x: [N,H,W,C] -> [N,C]. Throws kUsage for another rank or an empty tensor.
Variable global_average_pool(const Variable& x);

class GlobalAveragePool : public Layer {
 public:
  Variable forward(const Variable& x) override { return global_average_pool(x); }
};

}  // namespace qlimit
