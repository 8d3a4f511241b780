// The kernels for AVX-512; compiled with that set's options (core/CMakeLists.txt).
#include "core/kernels/vector/make_table.h"

namespace qlimit {

const KernelTable& avx512_kernels() {
  static constexpr KernelTable kTable = make_table<64>();
  return kTable;
}

}  // namespace qlimit
