#include "core/kernels/table.h"

#include "core/kernels/isa.h"

namespace qlimit {

const KernelTable& kernels() {
  switch (active_isa()) {
#if defined(__x86_64__)
    case Isa::kAvx512Vnni:
      return avx512vnni_kernels();
    case Isa::kAvx512:
      return avx512_kernels();
    case Isa::kAvx2:
      return avx2_kernels();
#elif defined(__aarch64__)
    case Isa::kNeonDot:
      return neondot_kernels();
#endif
    default:
      return generic_kernels();
  }
}

}  // namespace qlimit
