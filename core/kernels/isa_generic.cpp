// The kernels for any processor of the architecture; compiled with that set's options (core/CMakeLists.txt).
#include "core/kernels/vector/make_table.h"

namespace qlimit {

const KernelTable& generic_kernels() {
  static constexpr KernelTable kTable = make_table<16>();
  return kTable;
}

}  // namespace qlimit
