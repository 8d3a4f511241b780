// Cross-layer equalization: the same function with weights that are easier to quantize.
//
// With one scale for a whole tensor, the channel with the largest weights sets the step for all, and batch
// norm, once folded, leaves channels whose weights differ by orders of magnitude. ReLU is positively
// homogeneous: relu(s * x) = s * relu(x) for s > 0. So what the first of two layers multiplies into a channel
// the second can divide out again, and the ranges of both can be made equal. Nagel, van Baalen, Blankevoort
// and Welling, "Data-free quantization through weight equalization and bias correction", ICCV 2019, section
// 4.1: with r1_c = max |w| over the weights that make channel c and r2_c = max |w| over those that read it,
//
//   s_c = sqrt(r1_c * r2_c) / r2_c      W1[c] /= s_c, b1[c] /= s_c, W2[:, c] *= s_c
//
// after which both ranges are sqrt(r1_c * r2_c). A layer in the middle of a chain belongs to two pairs, so
// all pairs are visited again and again until nothing moves.
//
// Not equalized: pairs with a ReLU6 between them, which is not homogeneous (to equalize such a net, train it
// with ReLU, as the paper does with MobileNetV2), and pairs across an addition or a value with several
// readers. The paper's absorption of high biases (section 4.1.3) is not done.
//
//   run_passes(graph);
//   equalize(graph);
//   Ranges ranges = calibrate(FloatExecutor(graph), images);   // activations have changed too
#pragma once

#include <string>
#include <vector>

#include "quant/graph.h"

namespace qlimit {

struct EqualizeOptions {
  int sweeps = 100;         // over all pairs, at most; 0 or more
  double tolerance = 1e-4;  // done when no scale of a sweep had |log s_c| above this
  /// A channel whose range is below this share of its layer's largest stays as it is: batch norm has switched
  /// it off, and to raise its weights would raise the bias that is all it says.
  double least_share = 1e-6;
};

/// Two nodes with weights, as places in Graph::nodes, and the channels that the second reads from the first.
struct EqualizedPair {
  size_t first = 0;
  size_t second = 0;
  int64_t channels = 0;
};

/// What equalization did to an activation: channel c is what it was, divided by scales[c].
struct EqualizedActivation {
  std::string name;  // of the value that the first layer of a pair computes
  std::vector<double> scales;
};

/// The pairs of a folded graph, in order of execution. Between the two lie only operations that keep channels
/// apart and let a positive factor pass, with one reader each: ReLU, pools, zero padding, means over other
/// axes, reshapes (a dense layer behind a flattened [N,H,W,C] reads channel j % C at feature j). Depthwise
/// and grouped convolutions may be either half.
std::vector<EqualizedPair> equalizable_pairs(const Graph& graph);

/// Equalizes all pairs of a valid, folded graph (run_passes). Ids and names of values stay; constants that
/// several nodes share are copied. Channels without weights on either side stay as they are. Returns one
/// entry for each pair. Throws kUsage if the graph is not valid or an option is out of range.
std::vector<EqualizedActivation> equalize(Graph& graph, const EqualizeOptions& options = {});

}  // namespace qlimit
