// The three networks of the study as benchmarks want them: random weights, random images, compiled graphs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "layers/sequential.h"
#include "quant/quantize.h"

namespace qlimit {

struct Net {
  const char* name;
  std::unique_ptr<Sequential> (*make)(Random&);
  int64_t size, channels;  // of an image

  Shape images_shape(int64_t count) const { return {count, size, size, channels}; }
};

/// mnist, micro, standard.
std::span<const Net> nets();

/// Uniform in [0,1), so that the smallest number of the input's int8 grid means 0: libraries that know only
/// unsigned inputs without a zero point can do the same work.
Tensor<float> random_images(const Net& net, int64_t count);

/// A net without batch norms, activations fused, made once; random weights of one seed.
const Graph& folded_graph(const Net& net);

/// The same in integers, one scale for each output channel, calibrated on random images.
const QuantizedGraph& quantized_graph(const Net& net);

/// Random images as the integer graph takes them.
Tensor<int8_t> random_int8_images(const Net& net, int64_t count);

}  // namespace qlimit
