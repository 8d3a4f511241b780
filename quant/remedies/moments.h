// What is known of activations without any data: mean and deviation, from batch norm.
//
// A batch norm puts out gamma * z + beta with z of mean 0 and variance 1 over the training data. Taking z as
// normal, the ReLU behind it makes a rectified normal variable, whose mean is known (Nagel et al., ICCV 2019,
// section 4.2.1 and appendix C). Folding moves the batch norm into the weights, so the moments are read from
// the graph before:
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   ActivationMoments moments = batch_norm_moments(graph);
//   run_passes(graph);
//   rescale(moments, equalize(graph));               // if the graph is equalized
//   ... quantize ...
//   correct_bias_analytically(q, graph, moments);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quant/graph.h"
#include "quant/remedies/equalize.h"

namespace qlimit {

/// For each channel, a normal variable.
struct NormalChannels {
  std::vector<double> mean;
  std::vector<double> deviation;  // 0 or more
};

/// The values of a folded graph, before their activation, by name.
using ActivationMoments = std::map<std::string, NormalChannels>;

/// beta and |gamma| of each batch norm of a graph that was traced and not yet folded, under the name that its
/// output has after run_passes: the producer's ("conv2d_1") where it can be folded, else its own. Throws
/// kUsage if the graph is not valid.
ActivationMoments batch_norm_moments(const Graph& traced);

/// Follows an equalization of the folded graph: channel c is what it was, divided by scales[c].
void rescale(ActivationMoments& moments, const std::vector<EqualizedActivation>& equalized);

struct Moments {
  double mean = 0;
  double variance = 0;
};

/// Of clamp(x, low, high) for x normal. With a = (low - mean) / deviation, b = (high - mean) / deviation, phi
/// and Phi the density and distribution of the standard normal variable,
///   E = low Phi(a) + high (1 - Phi(b)) + mean (Phi(b) - Phi(a)) - deviation (phi(b) - phi(a))
/// and likewise for the square. `low` may be -infinity and `high` infinity; low <= high, deviation 0 or more.
Moments clipped_normal(double mean, double deviation, double low, double high);

/// Of the greatest of n >= 1 independent standard normal variables, by numerical integration: 0 and 1 for n =
/// 1, 1 / sqrt(pi) and 1 - 1 / pi for n = 2.
Moments greatest_normal(int64_t n);

}  // namespace qlimit
