// The three networks of the experiments, side by side.
//
//   name              layers                                                          parameters
//   mnist_model             C8 P C16 P flatten D10                                               9,098
//   standard_cifar_model    C32 C32 P C64 C64 P C128 C128 P flatten D32 R D10                  353,802
//   micro_cifar_model       C8 P C16 P C24 P C24 G D10                                          10,474
//
// Cn is a 3x3 convolution with n filters and ReLU, and, for CIFAR-10, batch norm between them; P halves rows
// and columns by 2x2 max pooling, G averages each channel, Dn is a dense layer, R a ReLU. The convolutions
// keep their bias before batch norm, where it has no effect on training, because the published parameter
// counts include it; folding makes it vanish.
#pragma once

#include <memory>

#include "core/random.h"
#include "layers/sequential.h"

namespace qlimit {

/// [N,28,28,1] -> logits [N,10].
std::unique_ptr<Sequential> mnist_model(Random& random);

/// [N,32,32,3] -> logits [N,10].
std::unique_ptr<Sequential> standard_cifar_model(Random& random);

/// [N,32,32,3] -> logits [N,10].
std::unique_ptr<Sequential> micro_cifar_model(Random& random);

}  // namespace qlimit
