// A net of layers whose batch norms have seen random images, so that gamma and beta say what comes out.
#pragma once

#include <memory>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/relu.h"
#include "layers/residual.h"
#include "layers/sequential.h"
#include "tests/quant/random_graph.h"

namespace qlimit {

inline constexpr Window k3x3 = {.kernel_h = 3, .kernel_w = 3};

/// conv, max pool, a depthwise-separable residual block and a plain convolution, for images of 12x12x3.
inline std::unique_ptr<Sequential> normalized_net(Random& rng) {
  auto body = std::make_shared<Sequential>();
  body->add<DepthwiseConv2D>(8, 1, k3x3, false, rng).add<BatchNorm2D>(8).add<ReLU>();
  body->add<Conv2D>(8, 8, Window{}, false, rng).add<BatchNorm2D>(8);
  auto model = std::make_unique<Sequential>();
  model->add<Conv2D>(3, 8, k3x3, false, rng).add<BatchNorm2D>(8).add<ReLU>().add<MaxPool2D>(2);
  model->add<Residual>(body).add<ReLU>();
  model->add<Conv2D>(8, 16, k3x3, false, rng).add<BatchNorm2D>(16).add<ReLU>();
  model->add<GlobalAveragePool>().add<Dense>(16, 10, true, rng);
  for (const Parameter& parameter : model->parameters()) {
    Variable variable = parameter.variable;
    const bool gamma = parameter.name.ends_with("gamma"), beta = parameter.name.ends_with("beta");
    for (Real& x : variable.mutable_value()) {
      if (gamma || beta) x = static_cast<Real>((gamma ? 1.0 : 0.0) + 0.3 * rng.normal());
    }
  }
  const TapeOff off;
  for (int batch = 0; batch < 60; ++batch) (*model)(Variable::constant(random_tensor({32, 12, 12, 3}, rng)));
  return model;
}

}  // namespace qlimit
