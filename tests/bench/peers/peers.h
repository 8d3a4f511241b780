// Other libraries at the same work: the nets' inference, with the same weights on the same images.
//
// Each peer is used as well as we know: weights packed, primitives made and layouts chosen before the clock
// runs, activations fused into the layers before them. What it reads and writes is what our own integer model
// reads and writes, int8 or float. tests/bench/peers/peers_test.cpp shows that the answers are ours.
//
// Each is optional: CMake looks for it, and a build without any has an empty list.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "quant/quantize.h"

namespace qlimit {

/// Work that is ready to be done, again and again.
class PeerWork {
 public:
  virtual ~PeerWork() = default;
  virtual void run() = 0;
  /// Of the last run, as real numbers: of a net one row for each image.
  virtual std::vector<float> outputs() const = 0;
};

/// c[m,n] = a[m,k] * b[k,n] of floats, unpacked; a transposed factor lies in memory as its transpose.
struct MatrixProduct {
  int64_t m, n, k;
  const float* a;
  bool a_transposed;
  const float* b;
  bool b_transposed;
};

struct Peer {
  using Work = std::unique_ptr<PeerWork>;

  std::string name;
  /// Of a net as tests/bench/nets.h makes them: a chain of 3x3 convolutions, 2x2 max pools, global average
  /// pool and dense layers. `threads` threads. Graph and weights must outlive the work.
  std::function<Work(const Graph&, const Tensor<float>& images, int threads)> make_float;
  std::function<Work(const QuantizedGraph&, const Tensor<int8_t>& images, int threads)> make_int8;
  /// Empty if the peer has none. The factors must outlive the work.
  std::function<Work(const MatrixProduct&, int threads)> make_product;
};

/// The peers in this build.
std::vector<Peer> peers();

}  // namespace qlimit
