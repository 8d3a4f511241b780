// Where the error comes from: the noise that quantization adds to each layer.
//
//   for (const LayerNoise& layer : layer_noise(executor, model, images))
//     std::cout << layer.name << " " << layer.sqnr_db << " dB\n";
#pragma once

#include <string>
#include <vector>

#include "quant/float_executor.h"
#include "quant/quantized_model.h"

namespace qlimit {

struct LayerNoise {
  std::string name;       // of the value, "conv2d_1"
  std::string operation;  // "conv2d"
  Shape shape;            // for one image
  /// Signal-to-quantization-noise ratio in decibels, 10*log10(sum of x^2 / sum of (x - x_int8)^2) over all
  /// images: x as the float executor computes it, x_int8 the integer model's number, dequantized. Infinite
  /// where there is no noise. A quantizer with a step of s on a uniform signal of range R has about
  /// 20*log10(R/s): 48 dB for 8 bits; each bit lost costs 6 dB.
  double sqnr_db = 0;
};

/// One entry for the input and for each node, in order of execution. Both models must come from one graph,
/// and the integer one have integers throughout, else kUsage. images: [N,...]; works in batches, so N may be
/// large.
std::vector<LayerNoise> layer_noise(const FloatExecutor& reference, const QuantizedModel& model,
                                    const Tensor<float>& images);

}  // namespace qlimit
