// The statistics of batch norm, computed anew for weights that were not trained step by step: averaged ones
// (optim/weight_average.h), or ones that were changed by hand.
//
//   Loader loader(take(cifar.train, 10'000),
//                 {.batch_size = 500, .augmentation = augmentation, .normalization = normalization});
//   loader.start_epoch(0);
//   recompute_statistics(*model, [&](Tensor<Real>& images) { ... });
//
// While training, running statistics follow the last few batches, and so lag behind the weights. Here the
// weights stand still, and the statistics become the plain mean of those of all batches (Izmailov et al.,
// "Averaging weights leads to wider optima", 2018, section 3.2). The images are to be augmented as in the
// training: weights fit the statistics that they were trained with.
#pragma once

#include <functional>

#include "layers/layer.h"

namespace qlimit {

/// Runs the model on one batch after another; `next` fills its argument, images: [N,H,W,C], and returns false
/// when there are no more. Only the running statistics change, whatever they were; those of a norm that the
/// model uses twice follow one use after the other, and are no plain mean. Throws kUsage if there is no
/// batch.
void recompute_statistics(Layer& model, const std::function<bool(Tensor<Real>& images)>& next);

}  // namespace qlimit
