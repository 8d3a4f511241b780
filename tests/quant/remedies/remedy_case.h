// A net, its images and its integers: what the tests of the remedies start from.
#pragma once

#include "quant/analysis.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/quantize.h"
#include "quant/trace.h"
#include "tests/quant/random_graph.h"

namespace qlimit {

/// Random images for a graph.
inline Tensor<float> random_images(const Graph& graph, int64_t count, Random& rng) {
  return random_tensor(with_batch(graph.value(graph.input).shape, count), rng);
}

/// Calibrates by least and greatest numbers, and quantizes.
inline QuantizedGraph quantized_on(const Graph& graph, const Tensor<float>& images,
                                   const QuantizeOptions& options = {}) {
  return quantize(graph, calibrate(FloatExecutor(graph), images), options);
}

/// Signal-to-noise ratio of the integer model's output in decibels.
inline double output_sqnr(const Graph& graph, const QuantizedGraph& quantized, const Tensor<float>& images) {
  return layer_noise(FloatExecutor(graph), QuantizedModel(quantized), images).back().sqnr_db;
}

}  // namespace qlimit
