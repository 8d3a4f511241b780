#include "experiments/champion/nets.h"

#include "experiments/blocks.h"
#include "layers/dense.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"

namespace qlimit {
namespace {

constexpr int64_t kClasses = 10;

}  // namespace

std::unique_ptr<Sequential> champion_micro_model(Random& random) {
  auto model = std::make_unique<Sequential>();  // 32x32
  add_convolution(*model, 3, 16, /*use_bias=*/false, random);
  add_separable(*model, 16, 24, random);
  model->add<MaxPool2D>(2);  // 16x16
  add_separable(*model, 24, 32, random);
  add_residual(*model, 32, random);
  add_residual(*model, 32, random);
  model->add<MaxPool2D>(2);  // 8x8
  add_separable(*model, 32, 48, random);
  add_residual(*model, 48, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(48, kClasses, /*use_bias=*/true, random);
  return model;
}

std::unique_ptr<Sequential> champion_mnist_model(Random& random) {
  auto model = std::make_unique<Sequential>();  // 28x28
  add_convolution(*model, 1, 8, /*use_bias=*/false, random);
  add_separable(*model, 8, 16, random);
  model->add<MaxPool2D>(2);  // 14x14
  add_separable(*model, 16, 24, random);
  add_residual(*model, 24, random);
  add_residual(*model, 24, random);
  model->add<MaxPool2D>(2);  // 7x7
  add_separable(*model, 24, 32, random);
  add_residual(*model, 32, random);
  add_residual(*model, 32, random);
  model->add<GlobalAveragePool>();
  model->add<Dense>(32, kClasses, /*use_bias=*/true, random);
  return model;
}

}  // namespace qlimit
