// All kernels of one vector width, as a table.
#pragma once

#include <type_traits>

#include "core/kernels/vector/channel.h"
#include "core/kernels/vector/conv.h"
#include "core/kernels/vector/conv_gradient.h"
#include "core/kernels/vector/depthwise.h"
#include "core/kernels/vector/depthwise_gradient.h"
#include "core/kernels/vector/dot_float.h"
#include "core/kernels/vector/dot_int8.h"
#include "core/kernels/vector/elementwise.h"
#include "core/kernels/vector/gemm.h"
#include "core/kernels/vector/im2col.h"
#include "core/kernels/vector/lines.h"
#include "core/kernels/vector/pairs_int8.h"
#include "core/kernels/vector/peak.h"
#include "core/kernels/vector/pool.h"
#include "core/kernels/vector/quantize.h"
#include "core/kernels/vector/requantize.h"
#include "core/kernels/vector/staircase.h"

namespace qlimit {
namespace {

using ConvolutionInt8 = Convolution<WideDotInt8, NarrowDotInt8>;

template <int kBytes>
using ConvolutionFloat =
    Convolution<DotFloat<kBytes>,
                typename NarrowFloat<kBytes, std::is_same_v<Real, float> && (kBytes > 16)>::Dot>;

template <int kBytes>
constexpr KernelTable make_table() {
  constexpr int64_t kLanes = Vector<Real, kBytes>::kLanes;
  return {
      .panel_widths = {2 * kLanes, kLanes, kLanes / 2},
      .gemm_panel = gemm_panel<kBytes>,
      .requantize_int8 = requantize_int8,
      .add_int8 = pairs_int8<SumOfInt8>,
      .multiply_int8 = pairs_int8<ProductOfInt8>,
      .quantize_int8 = quantize_int8<kBytes>,
      .conv_int8_offset = WideDotInt8::kOffset,
      .conv_int8_element_bytes = sizeof(WideDotInt8::Element),
      .conv_int8_packing = ConvolutionInt8::packing(),
      .pack_conv_int8 = ConvolutionInt8::pack<int8_t>,
      .conv_int8_panel = ConvolutionInt8::run<ConvInt8Panel>,
      .int8_lines = int8_lines<kBytes, WideDotInt8>,
      .conv_packing = ConvolutionFloat<kBytes>::packing(),
      .pack_conv = ConvolutionFloat<kBytes>::template pack<Real>,
      .conv_panel = ConvolutionFloat<kBytes>::template run<ConvPanel>,
      .lines = float_lines<kBytes>,
      .gradient_lanes = kLanes,
      .conv_gradient_panel = conv_gradient_panel<kBytes>,
      .depthwise_lanes = {kLanes, kLanes / 2},
      .depthwise_int8_lanes = {WideLanes::kLanes, HalfLanes::kLanes},
      .depthwise = depthwise_float<kBytes>,
      .depthwise_int8 = depthwise_int8,
      .byte_lines = plain_lines<kBytes, int8_t>,
      .depthwise_gradient = depthwise_gradient<kBytes>,
      .depthwise_scatter = depthwise_scatter<kBytes>,
      .im2col = im2col<kBytes>,
      .col2im = col2im<kBytes>,
      .channel_sums = channel_sums<kBytes>,
      .channel_squares = channel_squares<kBytes>,
      .channel_gradient_sums = channel_gradient_sums<kBytes>,
      .channel_map = channel_map<kBytes>,
      .channel_map_backward = channel_map_backward<kBytes>,
      .clamp = clamp<kBytes>,
      .clamp_backward = clamp_backward<kBytes>,
      .staircase = staircase<kBytes>,
      .staircase_backward = staircase_backward<kBytes>,
      .staircase_scale_gradient = staircase_scale_gradient<kBytes>,
      .max_pool = max_pool<kBytes>,
      .max_pool_int8 = max_pool_int8<kBytes>,
      .max_pool_backward = max_pool_backward<kBytes>,
      .map_and_pool = map_and_pool<kBytes>,
      .map_and_pool_backward = map_and_pool_backward<kBytes>,
      .multiply_add_loop = multiply_add_loop<DotFloat<kBytes> >,
      .multiply_add_int8_loop = multiply_add_loop<WideDotInt8>,
      .read_loop = read_loop<kBytes>,
  };
}

}  // namespace
}  // namespace qlimit
