// The loss of classification: softmax turns a row of logits z into probabilities p, and the cross entropy
// with the target distribution t says how surprised they are by the label.
//
//   p[k] = exp(z[k]) / sum_j exp(z[j])       loss = mean over rows of  -sum_k t[k] * log p[k]
//   t[k] = (1 - s) * (k == label) + s / K    with label smoothing s      dL/dz[n,k] = (p[k] - t[k]) / N
//
// Label smoothing is that of Szegedy et al., "Rethinking the inception architecture", CVPR 2016, section 7
// (and of PyTorch's CrossEntropyLoss). Softmax and loss are one operation because together they are stable:
// log p[k] = z[k] - max - log sum_j exp(z[j] - max) never takes the logarithm of a rounded zero.
#pragma once

#include <cstdint>
#include <vector>

#include "core/variable.h"

namespace qlimit {

/// logits: [N,K]; labels: N classes below K; label_smoothing: 0 to 1. Returns the mean loss, a scalar, in
/// natural units (log K for a model that knows nothing). Throws kUsage if shapes or the smoothing are wrong,
/// kData for a label that is no class.
Variable softmax_cross_entropy(const Variable& logits, const std::vector<uint8_t>& labels,
                               double label_smoothing = 0);

}  // namespace qlimit
