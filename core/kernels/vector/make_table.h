// All kernels of one vector width, as a table.
#pragma once

#include "core/kernels/vector/channel.h"
#include "core/kernels/vector/conv_int8.h"
#include "core/kernels/vector/elementwise.h"
#include "core/kernels/vector/gemm.h"
#include "core/kernels/vector/im2col.h"
#include "core/kernels/vector/pool.h"
#include "core/kernels/vector/quantize.h"
#include "core/kernels/vector/requantize.h"

namespace qlimit {
namespace {

template <int kBytes>
constexpr KernelTable make_table() {
  constexpr int64_t kLanes = Vector<Real, kBytes>::kLanes;
  return {
      .panel_widths = {2 * kLanes, kLanes, kLanes / 2},
      .gemm_panel = gemm_panel<kBytes>,
      .requantize_int8 = requantize_int8,
      .quantize_int8 = quantize_int8<kBytes>,
      .conv_int8_widths = {2 * WideDot::kChannels, WideDot::kChannels, NarrowDot::kChannels},
      .conv_int8_filter_bytes = conv_int8_filter_bytes,
      .pack_conv_int8 = pack_conv_int8,
      .conv_int8_panel = conv_int8_panel,
      .int8_lines = int8_lines,
      .im2col = im2col<kBytes>,
      .col2im = col2im<kBytes>,
      .channel_sums = channel_sums<kBytes>,
      .channel_squares = channel_squares<kBytes>,
      .channel_products = channel_products<kBytes>,
      .channel_affine = channel_affine<kBytes>,
      .channel_affine2 = channel_affine2<kBytes>,
      .clamp = clamp<kBytes>,
      .clamp_backward = clamp_backward<kBytes>,
      .max_pool = max_pool<kBytes>,
      .max_pool_int8 = max_pool_int8<kBytes>,
      .max_pool_backward = max_pool_backward<kBytes>,
  };
}

}  // namespace
}  // namespace qlimit
