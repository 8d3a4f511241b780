#include "tests/bench/peers/peers.h"

#if defined(QLIMIT_ONEDNN)
#include "tests/bench/peers/onednn_net.h"
#include "tests/bench/peers/onednn_product.h"
#endif
#if defined(QLIMIT_XNNPACK)
#include "tests/bench/peers/xnnpack_net.h"
#endif

namespace qlimit {

std::vector<Peer> peers() {
  std::vector<Peer> all;
#if defined(QLIMIT_ONEDNN)
  all.push_back({"onednn", onednn_float_net, onednn_int8_net, onednn_product});
#endif
#if defined(QLIMIT_XNNPACK)
  all.push_back({"xnnpack", xnnpack_float_net, xnnpack_int8_net, nullptr});
#endif
  return all;
}

}  // namespace qlimit
