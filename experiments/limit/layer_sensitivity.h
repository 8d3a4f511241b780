// Which layer does the damage, and does its noise tell? Each layer alone gets few bits, for its weights and
// for its output, all others keep 8: how many answers are lost, and what is the signal-to-noise ratio of the
// layer's output?
#pragma once

#include "experiments/limit/quantizer.h"
#include "experiments/limit/record.h"

namespace qlimit {

/// One entry for each operation that computes new numbers (convolutions, dense layers, additions, means), in
/// order of execution. The logits keep 8 bits, as everywhere in the study. Signal and noise are measured on
/// the calibration images.
LayersResult narrow_each_layer(Quantizer& quantizer, int bits);

}  // namespace qlimit
