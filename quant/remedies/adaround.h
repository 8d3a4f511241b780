// AdaRound: which weights are rounded down and which up is learned, so that the layer's output is right.
//
// Rounding each weight to the nearest number is best for the weight and not for the layer: inputs are
// correlated, so errors of several weights add up or cancel, and with few bits each error is large. Nagel,
// Amjad, van Baalen, Louizos and Blankevoort, "Up or down? Adaptive rounding for post-training quantization",
// ICML 2020: for a layer with weights W, activation f and inputs x~ as the quantized layers before it make
// them, find for each weight an h between 0 (down) and 1 (up) with the least
//
//   mean of (f(W~ x~ + b) - f(W x + b))^2  +  lambda * sum of 1 - |2h - 1|^beta            equation 25
//
// by gradient descent (quant/remedies/soft_rounding.h: W~, h and the penalty). The penalty is left out while
// the layer warms up; then beta falls, so that ever more weights are driven to one side. At the end all are
// rounded. Where that is not better on the images than what was there, the layer stays as it was.
//
// Two things differ from the paper. The error is scaled so that at first it is as large as the layer's number
// of weights: then lambda, the price of one undecided weight, means the same for every layer and net. And
// some hundreds of steps at a high rate stand for its 10,000: nets and layers are small here.
//
//   QuantizedGraph q = quantize(graph, ranges, {.weight_bits = 3});
//   adaround(q, graph, images);
//   QuantizedModel model(q);
//
// The scales are those that q has, of whatever range. The bias stays as well: the weights are chosen for it,
// and correct_bias afterwards, which looks at means before the activation, rather does harm.
#pragma once

#include <cstdint>

#include "quant/quantized_graph.h"

namespace qlimit {

struct AdaRoundOptions {
  int64_t iterations = 500;     // of each layer; 0 or more
  int64_t batch = 32;           // images a step, drawn at random, or all if there are no more
  double learning_rate = 0.05;  // of Adam, 0 or more
  double warm_up = 0.2;         // the share of the iterations without penalty, in [0,1)
  double regularization = 10;   // lambda, 0 or more
  double first_beta = 20;       // falls linearly
  double last_beta = 2;         // 1 or more
  uint64_t seed = 1;            // of the batches
};

/// Sets the weights of every node with int8 weights, in order of execution; each moves by at most one step.
/// `reference`: the folded float graph that q was made from; images: [N,...], N at least 1, for example those
/// of calibration; some hundreds are needed. Takes about twice as long as to train the net on iterations *
/// batch images. Throws kUsage if graphs, images or options do not fit, kNumeric if a result of the float
/// graph is not finite.
void adaround(QuantizedGraph& q, const Graph& reference, const Tensor<float>& images,
              const AdaRoundOptions& options = {});

}  // namespace qlimit
