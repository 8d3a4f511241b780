// The matrix products that a convolution over patch matrices is made of, with oneDNN. The patch matrix is
// taken for granted: what it costs to make one is not measured.
#pragma once

#include "tests/bench/peers/peers.h"

namespace qlimit {

std::unique_ptr<PeerWork> onednn_product(const MatrixProduct& product, int threads);

}  // namespace qlimit
