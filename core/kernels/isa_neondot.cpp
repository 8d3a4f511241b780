// The integer convolution for AArch64 with SDOT; compiled with those options (core/CMakeLists.txt).
// Everything else is that of NEON, the generic set.
#include "core/kernels/vector/conv.h"
#include "core/kernels/vector/dot_int8.h"
#include "core/kernels/vector/peak.h"

namespace qlimit {

const KernelTable& neondot_kernels() {
  static const KernelTable kTable = [] {
    using ConvolutionInt8 = Convolution<WideDotInt8, NarrowDotInt8>;
    KernelTable table = generic_kernels();
    table.conv_int8_packing = ConvolutionInt8::packing();
    table.pack_conv_int8 = ConvolutionInt8::pack<int8_t>;
    table.conv_int8_panel = ConvolutionInt8::run<ConvInt8Panel>;
    table.multiply_add_int8_loop = multiply_add_loop<WideDotInt8>;
    return table;
  }();
  return kTable;
}

}  // namespace qlimit
