// Inference with XNNPACK (https://github.com/google/XNNPACK): operators on images [N,H,W,C], int8 with zero
// points and one scale for each output channel, as TFLite has them.
#pragma once

#include "tests/bench/peers/peers.h"

namespace qlimit {

std::unique_ptr<PeerWork> xnnpack_float_net(const Graph& graph, const Tensor<float>& images, int threads);
std::unique_ptr<PeerWork> xnnpack_int8_net(const QuantizedGraph& q, const Tensor<int8_t>& images,
                                           int threads);

}  // namespace qlimit
