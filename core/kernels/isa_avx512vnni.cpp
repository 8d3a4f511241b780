// The integer convolutions for AVX-512 with VNNI; compiled with those options (core/CMakeLists.txt).
// Everything else is that of AVX-512.
#include "core/kernels/vector/conv.h"
#include "core/kernels/vector/depthwise.h"
#include "core/kernels/vector/dot_int8.h"
#include "core/kernels/vector/lines.h"
#include "core/kernels/vector/peak.h"

namespace qlimit {

const KernelTable& avx512vnni_kernels() {
  static const KernelTable kTable = [] {
    using ConvolutionInt8 = Convolution<WideDotInt8, NarrowDotInt8>;
    KernelTable table = avx512_kernels();
    table.conv_int8_offset = WideDotInt8::kOffset;
    table.conv_int8_element_bytes = sizeof(WideDotInt8::Element);
    table.int8_lines = int8_lines<64, WideDotInt8>;
    table.conv_int8_packing = ConvolutionInt8::packing();
    table.pack_conv_int8 = ConvolutionInt8::pack<int8_t>;
    table.conv_int8_panel = ConvolutionInt8::run<ConvInt8Panel>;
    table.multiply_add_int8_loop = multiply_add_loop<WideDotInt8>;
    table.depthwise_int8 = depthwise_int8;
    return table;
  }();
  return kTable;
}

}  // namespace qlimit
