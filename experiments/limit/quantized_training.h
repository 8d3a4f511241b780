// Methods of the limit study that train: a short training with quantization of a net that is trained already.
#pragma once

#include "experiments/limit/methods.h"
#include "experiments/limit/trained_net.h"
#include "quant/quantize.h"

namespace qlimit {

/// The integers of the net after plan.quantized_epochs more epochs, with fake quantization at these widths;
/// recipe.trains says how. images: [N,H,W,C], normalized, for the first ranges. Throws kNumeric if it
/// diverges.
QuantizedGraph train_quantized(const TrainedNet& net, const StudyPlan& plan, const StudyData& data,
                               const Tensor<float>& images, const Recipe& recipe, const BitWidths& bits);

}  // namespace qlimit
