// Passes: rewriting a graph into a simpler one that computes the same function.
//
// A pass never moves an operation into a producer whose value somebody else reads too.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);   // conv2d, batch_norm, relu  ->  conv2d with other weights and a fused relu
#pragma once

#include "quant/graph.h"

namespace qlimit {

/// Moves each batch norm into the convolution, depthwise convolution or dense layer before it. For output
/// channel c, with g_c = gamma_c / sqrt(variance_c + epsilon):
///   W'[c] = g_c * W[c]        b'_c = beta_c + g_c * (b_c - mean_c)
/// in double, rounded once (Jacob et al. 2018, section 3.2). A batch norm over an image that has no such
/// producer of its own (after an addition or a pool, or where another node reads the unnormalized value)
/// turns into a depthwise 1x1 convolution with weight g_c and bias beta_c - g_c * mean_c. One over [N,C]
/// without a producer stays as it is: the float executor runs it, `quantize` refuses it. Throws kNumeric if a
/// variance plus epsilon is not positive.
void fold_batch_norm(Graph& graph);

/// Makes each ReLU and ReLU6 an attribute of the convolution, depthwise convolution, dense layer, pool,
/// addition or product before it: in integers it is then only a tighter clamp.
void fuse_activations(Graph& graph);

/// Removes reshapes that change nothing, joins chains of reshapes, and removes 1x1 pools with stride 1 and no
/// activation.
void drop_identities(Graph& graph);

/// All passes in the order in which they help each other; the result is valid and tidy.
void run_passes(Graph& graph);

}  // namespace qlimit
