// The standard CIFAR-10 network with pseudo-random integers for weights: 354,000 of them, which no golden
// file has to hold.
#pragma once

#include "quant/quantize.h"

namespace qlimit {

/// The architecture of standard_cifar_model, traced and folded. Weights, biases, scales and zero points are
/// the same on every machine: integers of one random stream and short binary fractions.
QuantizedGraph standard_net();

}  // namespace qlimit
