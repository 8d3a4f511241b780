// Bias correction: rounding weights shifts the mean of a layer's output; the bias can take that back.
//
// Rounding errors of a filter do not cancel over inputs that are not negative, as those behind a ReLU are. So
// each output channel is off by a constant, on average: few weights and few bits make it large, and the next
// layers pass it on. Nagel et al., "Data-free quantization through weight equalization and bias correction",
// ICCV 2019, section 4.2: with W~ the quantized weights,
//
//   E[W~ x] - E[W x] = (W~ - W) E[x]      is subtracted from the bias.
//
// `correct_bias` is the form with data. It differs from the paper's in one point: it compares what the layer
// computes, before its activation, with what it ought to compute, over the same images,
//
//   b~ = b + W E[x] - W~ E[x~]            x~: its input in the integer model
//
// so the mean error that arrives with x~ (of roundings and clippings before the layer) is removed as well.
// Layers are corrected in order of execution, each with those before it corrected already. After that the
// mean over images and pixels is right to half a step s_in * s_w. As the layer is linear, the means of its
// inputs are all that has to be measured, each place of the image by itself, so that borders are right too.
//
//   QuantizedGraph q = quantize(graph, ranges, {.weight_bits = 4});
//   correct_bias(q, graph, images);
//   QuantizedModel model(q);
//
// quant/remedies/correct_bias_analytically.h needs no images.
#pragma once

#include "quant/quantized_graph.h"

namespace qlimit {

/// Sets the bias of every node with int8 weights. `reference`: the folded float graph that q was made from;
/// images: [N,...], N at least 1, for example those of calibration. What the bias was before does not matter:
/// a second call changes nothing. Costs about half a run of the integer model for each layer. Throws kUsage
/// if the graphs or images do not fit, kNumeric if a result of the float graph is not finite.
void correct_bias(QuantizedGraph& q, const Graph& reference, const Tensor<float>& images);

}  // namespace qlimit
