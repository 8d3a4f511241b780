// The functions that exist once per instruction set, and the table that holds them.
//
// The templates in core/kernels/vector are compiled in isa_generic.cpp, isa_avx2.cpp and so on with the
// compiler options of that set; each of these files fills one table. The rest of the project calls the
// headers beside this one (gemm.h, conv.h, channel.h, ...), which cut the work and pick the function here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/real.h"
#include "core/window.h"

namespace qlimit {

/// What happens to an element of a product before it is stored: clamp(value + bias[column], low, high).
struct Epilogue {
  const Real* bias = nullptr;  // one per column; none if null
  bool clamps = false;
  Real low = 0, high = 0;
};

/// One column panel of a matrix product: c[m,columns] = a[m,k] * panel[k,width], columns <= width.
struct GemmPanel {
  int64_t m, k;
  const Real* a;  // element (i,p) at a[i*row_stride + p*column_stride]
  int64_t row_stride, column_stride;
  const Real* panel;
  int64_t width;
  Real* c;
  int64_t c_row_stride;
  int64_t columns;
  Epilogue epilogue;
};

/// How sums become 8-bit outputs, channel by channel, see vector/requantize.h.
struct ChannelRequantizer {
  const int32_t* bias;          // one for each column of sums, as the two below
  const int32_t* multipliers;   // 0 or more
  const int32_t* right_shifts;  // 0 ... 31
  int32_t zero_point, min, max;

  /// Without the first `channel` channels.
  ChannelRequantizer from(int64_t channel) const {
    return {bias + channel, multipliers + channel, right_shifts + channel, zero_point, min, max};
  }
};

/// Rows of sums on their way to 8-bit outputs:
///   out = clamp(round((sum + bias) * 2^left_shift * multiplier / 2^(31 + right_shift)) + zero_point)
/// rounded twice as TFLite's reference kernels do (quant/fixed_point.h, Rounding::kDouble), per channel. sum +
/// bias must fit into int32; a multiplier whose left shift is not 0 is 2^30 at least. The scales have whole
/// vectors of the instruction set that the table is for.
struct RequantizeBlock {
  int64_t rows, channels, padded_channels;
  const int32_t* sums;  // [rows, padded_channels]
  ChannelRequantizer scales;
  const int32_t* left_shifts;  // 0 ... 30, before the multiplication; null: none
  int8_t* out;                 // [rows, channels]
};

/// The numbers of one 8-bit tensor: how far they lie from its zero, times multiplier / 2^(31 + right_shift).
struct Int8Scale {
  int32_t zero_point;
  int32_t multiplier;   // 0 or more
  int32_t right_shift;  // 0 ... 31
};

/// Pairs of 8-bit numbers that are added or multiplied, see vector/pairs_int8.h.
struct PairsInt8 {
  Int8Scale first_scale;   // only its zero point counts; of sums, the first is the side with the larger scale
  Int8Scale second_scale;  // of products, too, only its zero point
  Int8Scale out_scale;     // of the sums or products
  int32_t min, max;
  int64_t first_step, second_step;  // 1; or 0 if that side is a single number
  int64_t count;
  const int8_t* first;
  const int8_t* second;
  int8_t* out;
};

/// What the panels of float and integer convolutions have in common, see vector/conv.h: images in lines with
/// a border, one panel of filters. A patch of the image is `runs` stretches of run_length neighbouring
/// elements.
template <typename Element>
struct ConvGrid {
  int64_t rows, columns;  // of the sums; with max_pool both are even
  const Element* lines;   // the first patch
  int64_t row_stride;     // elements from a patch to the one below
  int64_t column_stride;  // and to the one beside it
  int64_t runs, run_length;
  const int64_t* run_offsets;  // from the beginning of a patch
  const std::byte* filters;
  int64_t width;         // channels of the panel
  bool max_pool;         // 2x2, stride 2, before the outputs are stored
  int64_t channels;      // that are stored
  int64_t pixel_stride;  // elements from an output pixel to the next
};

/// The elements are of conv_int8_element_bytes.
struct ConvInt8Panel : ConvGrid<std::byte> {
  const ChannelRequantizer* scales;  // of the panel's channels; null: the sums themselves are wanted
  int8_t* out;                       // or
  int32_t* sums;
};

struct ConvPanel : ConvGrid<Real> {
  Epilogue epilogue;  // its bias is the panel's
  Real* out;
};

/// A vector of neighbouring elements of a patch, from up to three of its stretches: lanes [0, ends[0]) lie at
/// offsets[0] + lane from the patch's beginning, lanes up to ends[1] at offsets[1] + lane, the others at
/// offsets[2] + lane.
struct PatchVector {
  int64_t offsets[3];
  int64_t ends[2];
};

/// The gradient of a convolution's filters, see vector/conv_gradient.h.
struct ConvGradientPanel {
  int64_t rows, columns;  // of the output
  const Real* lines;      // of the images, as in ConvGrid
  int64_t row_stride, column_stride;
  int64_t vectors;  // that a patch is cut into
  const PatchVector* patch;
  const Real* upstream;  // [rows, columns, pixel_stride]
  int64_t pixel_stride;
  int64_t channels;
  Real* sums;  // [channels, sums_stride], a vector for each of the patch's; is added to
  int64_t sums_stride;
};

/// A depthwise convolution of lines with a border, see vector/depthwise.h.
template <typename Element, typename Weight>
struct DepthwiseGrid {
  int64_t rows, columns;       // of the output
  const Element* lines;        // what the first pixel's window covers
  int64_t row_stride;          // elements from a window to the one below
  int64_t column_stride;       // and to the one beside it
  int64_t kernel_h, kernel_w;  // taps
  int64_t line_step;           // elements from a tap to the one below
  int64_t tap_step;            // and to the one beside it
  const Weight* filters;       // [vectors of channels, taps, lanes]
  int64_t channels;
  int64_t pixel_stride;  // elements from an output pixel to the next
};

struct DepthwisePanel : DepthwiseGrid<Real, Real> {
  Epilogue epilogue;
  Real* out;
};

/// A weight stands in the lower 16 bits of its lane, below zeros.
struct DepthwiseInt8Panel : DepthwiseGrid<int8_t, int32_t> {
  const ChannelRequantizer* scales;  // null: the sums themselves are wanted
  int8_t* out;                       // or
  int32_t* sums;                     // for whole vectors of channels
};

/// What both gradients of a depthwise convolution go through: output pixels, and lines with a border.
template <typename Element>
struct DepthwiseTaps {
  int64_t rows, columns;  // of the output
  Element* lines;         // what the first pixel's window covers
  int64_t row_stride, column_stride;
  int64_t taps;
  const int64_t* tap_offsets;  // from the window's first element
  int64_t channels;
  const Real* upstream;  // [rows, columns, channels]
};

/// sums[tap, c] += x[tap's place, c] * upstream[c]
struct DepthwiseGradientPanel : DepthwiseTaps<const Real> {
  Real* sums;
};

/// x[tap's place, c] += weights[tap, c] * upstream[c]
struct DepthwiseScatterPanel : DepthwiseTaps<Real> {
  const Real* weights;
};

/// How a convolution's filters are packed.
struct ConvPacking {
  int64_t widths[3];     // of panels, the widest first
  bool narrow_is_whole;  // the narrowest one fills all lanes: it costs half of the next wider
  int64_t (*filter_bytes)(int64_t width, int64_t runs, int64_t run_length);
};

/// An image on its way into lines with a border.
template <typename Element>
struct BorderedLines {
  int64_t rows, row_length;  // of the image that are taken over
  int64_t image_stride;      // elements from a row of the image to the next
  const Element* image;
  int64_t line_length;   // elements from a line to the next
  int64_t total_length;  // of all lines and what is read behind them
  int64_t begin;         // of the first row's elements
};

/// y = clamp(x * scale[c] + shift[c], low, high). Per-channel values go on with the first channel's after the
/// last one.
struct ChannelMapping {
  const Real* scale;
  const Real* shift;
  Real low, high;
};

/// The gradient of a map whose scale and shift depend on x as well:
///   dx = upstream_scale[c] * (upstream where the map is strictly inside of its bounds, else 0)
///      + x_scale[c] * x + shift[c]
struct ChannelMappingGradient {
  const Real* upstream_scale;
  const Real* x_scale;
  const Real* shift;
};

/// A quantizer's steps in real numbers, behind a clamp, see staircase.h.
struct Staircase {
  Real scale;
  Real low, high;              // the first and the last step, counted from zero
  Real clamp_low, clamp_high;  // of x; infinite for none
};

struct KernelTable {
  int64_t panel_widths[3];  // of GEMM column panels, the widest first
  void (*gemm_panel)(const GemmPanel&);

  void (*requantize_int8)(const RequantizeBlock&);
  void (*add_int8)(const PairsInt8&);
  void (*multiply_int8)(const PairsInt8&);
  void (*quantize_int8)(int64_t count, float scale, int32_t zero_point, int32_t low, int32_t high,
                        const float* x, int8_t* y);

  // Images of the integer convolution are x + conv_int8_offset: 128 where the instructions want unsigned
  // bytes, else 0. So its sums have conv_int8_offset * (sum of the weights) too much.
  int32_t conv_int8_offset;
  int64_t conv_int8_element_bytes;  // 1, or 2 where the instructions multiply 16-bit numbers
  // A convolution's filters, weights [channels, runs, run_length] of `width` channels or fewer, into zeros.
  ConvPacking conv_int8_packing;
  void (*pack_conv_int8)(int64_t width, int64_t runs, int64_t run_length, int64_t channels,
                         const int8_t* weights, std::byte* filters);
  void (*conv_int8_panel)(const ConvInt8Panel&);
  void (*int8_lines)(const BorderedLines<int8_t>&, int8_t border, std::byte* lines);

  ConvPacking conv_packing;
  void (*pack_conv)(int64_t width, int64_t runs, int64_t run_length, int64_t channels, const Real* weights,
                    std::byte* filters);
  void (*conv_panel)(const ConvPanel&);
  void (*lines)(const BorderedLines<Real>&, Real* lines);
  int64_t gradient_lanes;  // of a PatchVector
  void (*conv_gradient_panel)(const ConvGradientPanel&);

  int64_t depthwise_lanes[2], depthwise_int8_lanes[2];  // of a whole vector of channels, and of half a one
  void (*depthwise)(const DepthwisePanel&);
  void (*depthwise_int8)(const DepthwiseInt8Panel&);
  void (*byte_lines)(const BorderedLines<int8_t>&, int8_t border, int8_t* lines);
  void (*depthwise_gradient)(const DepthwiseGradientPanel&);
  void (*depthwise_scatter)(const DepthwiseScatterPanel&);

  void (*im2col)(const WindowGeometry&, const Real* image, int64_t row_begin, int64_t row_end, Real* columns);
  void (*col2im)(const WindowGeometry&, const Real* columns, int64_t row_begin, int64_t row_end, Real* image);

  void (*channel_sums)(int64_t rows, int64_t channels, const Real* x, Real* sums);
  void (*channel_squares)(int64_t rows, int64_t channels, const Real* x, const Real* means, Real* sums);
  void (*channel_gradient_sums)(int64_t rows, int64_t channels, const Real* x, const Real* means,
                                const ChannelMapping&, const Real* upstream, Real* sums);
  void (*channel_map)(int64_t rows, int64_t channels, const Real* x, const ChannelMapping&, Real* y);
  void (*channel_map_backward)(int64_t rows, int64_t channels, const Real* x, const ChannelMapping&,
                               const Real* upstream, const ChannelMappingGradient&, Real* dx);

  void (*clamp)(int64_t count, Real low, Real high, const Real* x, Real* y);
  void (*clamp_backward)(int64_t count, Real low, Real high, const Real* y, const Real* upstream, Real* dx);

  void (*staircase)(int64_t count, const Staircase&, const Real* x, Real* y);
  void (*staircase_backward)(int64_t count, const Staircase&, const Real* x, const Real* upstream, Real* dx);
  double (*staircase_scale_gradient)(int64_t count, const Staircase&, const Real* x, const Real* upstream);

  void (*max_pool)(const WindowGeometry&, const Real* image, Real* output, Real* taps);
  void (*max_pool_int8)(const WindowGeometry&, int8_t low, int8_t high, const int8_t* image, int8_t* output);
  void (*max_pool_backward)(const WindowGeometry&, const Real* upstream, const Real* taps, Real* dx);
  void (*map_and_pool)(const WindowGeometry&, const Real* image, const ChannelMapping&, Real* output,
                       Real* peaks, Real* taps);
  void (*map_and_pool_backward)(const WindowGeometry&, const Real* image, const ChannelMapping&,
                                const Real* upstream, const Real* taps, const ChannelMappingGradient&,
                                Real* dx);

  // What the machine can do at most, see peak.h. The first two return the multiply-adds that they have done.
  int64_t (*multiply_add_loop)(int64_t steps);
  int64_t (*multiply_add_int8_loop)(int64_t steps);
  void (*read_loop)(int64_t bytes, const std::byte* from);
};

/// The width of the panel that takes the next columns of a matrix: the narrowest that holds all that are
/// left, else the widest.
inline int64_t next_panel_width(const int64_t (&widths)[3], int64_t columns_left) {
  int64_t width = widths[0];
  for (int64_t narrower : widths) {
    if (narrower >= columns_left) width = narrower;
  }
  return width;
}

/// The table of the instruction set in use.
const KernelTable& kernels();

const KernelTable& generic_kernels();
#if defined(__x86_64__)
const KernelTable& avx2_kernels();
const KernelTable& avx512_kernels();
const KernelTable& avx512vnni_kernels();
#elif defined(__aarch64__)
const KernelTable& neondot_kernels();
#endif

}  // namespace qlimit
