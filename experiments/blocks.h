// Groups of layers that several nets are made of: convolutions, each with batch norm and ReLU behind it.
// Filters have 3x3 taps unless it is said, and padding that keeps the image's size.
//
//   Sequential model;
//   add_conv_block(model, 3, 16, /*use_bias=*/false, random);    // C16
//   add_separable(model, 16, 24, random);                         // D24
//   add_residual(model, 24, random);                              // R24
#pragma once

#include <cstdint>

#include "core/random.h"
#include "layers/sequential.h"

namespace qlimit {

/// A convolution, batch norm and ReLU.
void add_conv_block(Sequential& model, int64_t in, int64_t out, bool use_bias, Random& random);

/// A depthwise-separable convolution (Howard et al., "MobileNets", 2017): a depthwise one, then a 1x1
/// convolution, each with batch norm and ReLU and without bias. 11 in + in out + 2 out parameters.
void add_separable(Sequential& model, int64_t in, int64_t out, Random& random);

/// The same with as many channels behind it as before it, and its input added to it.
void add_residual(Sequential& model, int64_t channels, Random& random);

}  // namespace qlimit
