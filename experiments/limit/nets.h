// The nets of the limit study: two shapes, each of any width, from about 1,000 to 350,000 parameters.
//
//   shape       layers, for width w                                              parameters
//   plain       Cw P C2w P C3w P C3w G D10                                       153 w^2 + 84 w + 10
//   separable   Cw - D1.5w P D2w R2w P D3w R3w - G D10                           23.5 w^2 + 186.5 w + 10
//
// Cn is a 3x3 convolution with n filters, batch norm and ReLU, P halves rows and columns by 2x2 max pooling,
// G averages each channel, D10 is the dense layer. The plain net of width 8 is micro_cifar_model, whose
// convolutions keep a bias before batch norm.
//
// Dn is a depthwise-separable convolution (Howard et al., "MobileNets", 2017): a depthwise 3x3 convolution,
// then a 1x1 convolution with n filters, each with batch norm and ReLU and without bias. Rn is the same with
// its input added to it. Depthwise filters have nine weights a channel, and batch norm scales each channel by
// itself: one scale for a whole tensor fits them worst. The separable net of width 16 has 9,010 parameters.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "layers/sequential.h"

namespace qlimit {

/// [N,32,32,3] -> logits [N,10]; width: at least 1. Other images will do whose sides can be halved three
/// times (max pooling leaves out an odd last row); `channels` is theirs.
std::unique_ptr<Sequential> plain_model(int64_t width, Random& random, int64_t channels = 3);

/// The same with two pools; width: even, at least 2. Throws kUsage for another.
std::unique_ptr<Sequential> separable_model(int64_t width, Random& random, int64_t channels = 3);

/// A shape with the widths that the study has, in ascending order: sizes of similar ratio, and among those
/// the ones whose channels fill vectors.
struct NetFamily {
  std::string name;
  std::vector<int64_t> widths;
  std::unique_ptr<Sequential> (*make)(int64_t width, Random& random, int64_t channels);
};

const std::vector<NetFamily>& net_families();
/// Throws kUsage for a name that none has.
const NetFamily& net_family(std::string_view name);

}  // namespace qlimit
