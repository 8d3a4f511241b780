// The loss of distillation: a small model learns from the answers of a large one, and from the labels.
//
// Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, section 2. With z the
// student's logits, v the teacher's, t the label as a distribution, and softmax along a row:
//
//   p = softmax(v / T)      q = softmax(z / T)
//   loss = mean over rows of   a * T^2 * KL(p || q)  +  (1 - a) * KL(t || softmax(z))
//   dL/dz = (a * T * (q - p)  +  (1 - a) * (softmax(z) - t)) / N
//
// A temperature T above 1 softens both, so that what the teacher thinks of the wrong classes counts; T^2
// keeps the gradient's size while T changes. KL(t || softmax(z)) is the cross entropy with the label. The
// loss is zero where the student answers as the teacher does, a = 1.
#pragma once

#include <cstdint>
#include <vector>

#include "core/variable.h"

namespace qlimit {

struct DistillationOptions {
  double temperature = 4;      // T, above 0
  double teacher_share = 0.9;  // a, in [0,1]
};

/// logits: [N,K] of the student; teacher: [N,K], constants; labels: N classes below K. Returns the loss, a
/// scalar. Throws kUsage if shapes or options are wrong, kData for a label that is no class, kNumeric if the
/// teacher's logits are not finite.
Variable distillation(const Variable& logits, const Tensor<Real>& teacher, const std::vector<uint8_t>& labels,
                      const DistillationOptions& options = {});

}  // namespace qlimit
