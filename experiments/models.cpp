#include "experiments/models.h"

#include "experiments/blocks.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"

namespace qlimit {
namespace {

constexpr Window k3x3{.kernel_h = 3, .kernel_w = 3, .padding = Padding::kSame};

// A convolution and ReLU, without batch norm.
void add_plain_block(Sequential& model, int64_t in, int64_t out, Random& random) {
  model.add<Conv2D>(in, out, k3x3, /*use_bias=*/true, random).add<ReLU>();
}

}  // namespace

std::unique_ptr<Sequential> mnist_model(Random& random) {
  auto model = std::make_unique<Sequential>();  // 28x28x1
  add_plain_block(*model, 1, 8, random);
  model->add<MaxPool2D>(2);  // 14x14x8
  add_plain_block(*model, 8, 16, random);
  model->add<MaxPool2D>(2);  // 7x7x16
  model->add<Flatten>();
  model->add<Dense>(7 * 7 * 16, 10, /*use_bias=*/true, random);
  return model;
}

std::unique_ptr<Sequential> standard_cifar_model(Random& random) {
  auto model = std::make_unique<Sequential>();  // 32x32x3
  add_conv_block(*model, 3, 32, /*use_bias=*/true, random);
  add_conv_block(*model, 32, 32, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 16x16x32
  add_conv_block(*model, 32, 64, /*use_bias=*/true, random);
  add_conv_block(*model, 64, 64, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 8x8x64
  add_conv_block(*model, 64, 128, /*use_bias=*/true, random);
  add_conv_block(*model, 128, 128, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 4x4x128
  model->add<Flatten>();
  model->add<Dense>(4 * 4 * 128, 32, /*use_bias=*/true, random).add<ReLU>();
  model->add<Dense>(32, 10, /*use_bias=*/true, random);
  return model;
}

std::unique_ptr<Sequential> micro_cifar_model(Random& random) {
  auto model = std::make_unique<Sequential>();  // 32x32x3
  add_conv_block(*model, 3, 8, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 16x16x8
  add_conv_block(*model, 8, 16, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 8x8x16
  add_conv_block(*model, 16, 24, /*use_bias=*/true, random);
  model->add<MaxPool2D>(2);  // 4x4x24
  add_conv_block(*model, 24, 24, /*use_bias=*/true, random);
  model->add<GlobalAveragePool>();  // 24
  model->add<Dense>(24, 10, /*use_bias=*/true, random);
  return model;
}

}  // namespace qlimit
