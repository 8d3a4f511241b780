// The kernels for AVX2 with FMA; compiled with that set's options (core/CMakeLists.txt).
#include "core/kernels/vector/make_table.h"

namespace qlimit {

const KernelTable& avx2_kernels() {
  static constexpr KernelTable kTable = make_table<32>();
  return kTable;
}

}  // namespace qlimit
