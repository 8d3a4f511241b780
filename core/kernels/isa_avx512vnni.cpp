// The integer convolution for AVX-512 with VNNI; compiled with those options (core/CMakeLists.txt).
// Everything else is that of AVX-512.
#include "core/kernels/vector/conv_int8.h"

namespace qlimit {

const KernelTable& avx512vnni_kernels() {
  static const KernelTable kTable = [] {
    KernelTable table = avx512_kernels();
    table.conv_int8_widths[0] = 2 * WideDot::kChannels;
    table.conv_int8_widths[1] = WideDot::kChannels;
    table.conv_int8_widths[2] = NarrowDot::kChannels;
    table.conv_int8_filter_bytes = conv_int8_filter_bytes;
    table.pack_conv_int8 = pack_conv_int8;
    table.conv_int8_panel = conv_int8_panel;
    return table;
  }();
  return kTable;
}

}  // namespace qlimit
