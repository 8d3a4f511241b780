// Bias correction without data (see quant/remedies/correct_bias.h for what it corrects).
//
//   b~ = b - (W~ - W) E[x]                Nagel et al., ICCV 2019, section 4.2
//
// E[x] follows from the batch norms of the float model (quant/remedies/moments.h), carried through the folded
// graph to the inputs of its layers. What is exact given normal variables, and what is not:
// - ReLU and ReLU6 behind a batch norm: exact (clipped_normal).
// - Average pools, means, reshapes: the mean is exact. The variance stays that of one pixel, which is too
//   large; it matters only where an addition and then a ReLU follow.
// - Additions: the mean is exact. For the ReLU behind one, the sum is taken as normal and its parts as
//   independent.
// - Max pools: the paper says nothing of them, and the mean of the greatest of several correlated numbers has
//   no closed form. A window of n is taken as n normal variables of which each two have the correlation r =
//   `window_correlation`: mean m + d sqrt(1 - r) e_n, variance d^2 (r + (1 - r) v_n) with e_n and v_n of
//   greatest_normal; taken as normal again. Pixels beside each other are strongly correlated; how strongly
//   nobody knows without data, so r is a guess.
// - Windows that reach over the border: exact, as the zeros there are counted.
// Layers whose input mean is not known (behind another operation, or a layer without batch norm) keep their
// bias, and so does the first one unless `moments` has an entry under the input's name.
#pragma once

#include "quant/quantized_graph.h"
#include "quant/remedies/moments.h"

namespace qlimit {

struct AnalyticCorrectionOptions {
  double window_correlation = 0.5;  // of two numbers in the window of a max pool, 0 to 1
};

/// Sets the bias of every node with int8 weights whose input mean is known. `reference`: the folded float
/// graph that q was made from, `moments` of its values. Returns the names of the outputs of corrected layers.
/// What the bias was before does not matter. Throws kUsage if graphs, moments or options do not fit, kNumeric for
/// a bias that is not finite.
std::vector<std::string> correct_bias_analytically(QuantizedGraph& q, const Graph& reference,
                                                   const ActivationMoments& moments,
                                                   const AnalyticCorrectionOptions& options = {});

}  // namespace qlimit
