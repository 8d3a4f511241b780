#include "experiments/blocks.h"

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/depthwise_conv2d.h"
#include "layers/relu.h"
#include "layers/residual.h"

namespace qlimit {
namespace {

constexpr Window k3x3{.kernel_h = 3, .kernel_w = 3, .padding = Padding::kSame};
constexpr Window k1x1{.kernel_h = 1, .kernel_w = 1};

}  // namespace

void add_conv_block(Sequential& model, int64_t in, int64_t out, bool use_bias, Random& random) {
  model.add<Conv2D>(in, out, k3x3, use_bias, random).add<BatchNorm2D>(out).add<ReLU>();
}

void add_separable(Sequential& model, int64_t in, int64_t out, Random& random) {
  model.add<DepthwiseConv2D>(in, 1, k3x3, /*use_bias=*/false, random).add<BatchNorm2D>(in).add<ReLU>();
  model.add<Conv2D>(in, out, k1x1, /*use_bias=*/false, random).add<BatchNorm2D>(out).add<ReLU>();
}

void add_residual(Sequential& model, int64_t channels, Random& random) {
  auto body = std::make_shared<Sequential>();
  add_separable(*body, channels, channels, random);
  model.add<Residual>(body);
}

}  // namespace qlimit
