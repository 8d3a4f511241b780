// The nets of the champions, in the notation of experiments/limit/nets.h: Cn a convolution, Dn a
// depthwise-separable one, Rn the same with its input added, P a 2x2 max pool, G the average of each channel,
// Dense the last layer.
//
//   net                     layers                                            parameters   multiply-adds
//   champion_micro_model    C16 D24 P D32 R32 R32 P D48 R48 G Dense               10,450       2.2 million
//   champion_mnist_model    C8 D16 P D24 R24 R24 P D32 R32 R32 G Dense             7,026       0.9 million
#pragma once

#include <memory>

#include "core/random.h"
#include "layers/sequential.h"

namespace qlimit {

/// [N,32,32,3] -> logits [N,10].
std::unique_ptr<Sequential> champion_micro_model(Random& random);

/// [N,28,28,1] -> logits [N,10].
std::unique_ptr<Sequential> champion_mnist_model(Random& random);

}  // namespace qlimit
