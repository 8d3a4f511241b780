// The backward step of everything that has a convolution in it, full or depthwise.
#pragma once

#include "core/variable.h"
#include "layers/convolution.h"

namespace qlimit {

/// Adds the gradients of a convolution to those of its inputs that want one. `upstream` as for
/// convolution_gradients.
template <typename Conv>
void add_convolution_gradients(const Conv& conv, const Variable& x, const Variable& weight,
                               const Variable& bias, const ImageUpstream& upstream) {
  const WantedGradients wanted = {
      .weight = weight.wants_grad(), .bias = bias && bias.wants_grad(), .x = x.wants_grad()};
  const ConvolutionGradients gradients =
      convolution_gradients(conv, x.value(), weight.value(), upstream, wanted);
  if (wanted.weight) weight.add_grad(gradients.weight);
  if (wanted.bias) bias.add_grad(gradients.bias);
  if (wanted.x) x.add_grad(gradients.x);
}

}  // namespace qlimit
