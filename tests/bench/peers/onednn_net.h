// Inference with oneDNN (https://github.com/oneapi-src/oneDNN, version 2): just-in-time compiled
// primitives, layouts of its own choice between them. Its integer activations are unsigned, without a zero
// point.
#pragma once

#include "tests/bench/peers/peers.h"

namespace qlimit {

std::unique_ptr<PeerWork> onednn_float_net(const Graph& graph, const Tensor<float>& images, int threads);
std::unique_ptr<PeerWork> onednn_int8_net(const QuantizedGraph& q, const Tensor<int8_t>& images, int threads);

}  // namespace qlimit
