// Convolution of 8-bit integers: the fast form, without a patch matrix (vector/conv_int8.h has the idea).
//
//   PackedConvInt8 conv(geometry, weights, out_channels);       // once
//   conv.run(image, {.rows = {0, geometry.out_h}, .scales = &scales}, scratch, out);
//
// Exact, so every instruction set gives the same bits; int8::conv2d_reference is the definition. A dense
// layer is a convolution with a 1x1 window: its inputs are one row of pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/table.h"
#include "core/tensor.h"

namespace qlimit {

class PackedConvInt8 {
 public:
  PackedConvInt8() = default;
  /// Whether the lines of a window are few enough to be kept beside the image: a window that is dilated far
  /// beyond it would need absurdly many.
  static bool suits(const WindowGeometry& geometry);
  /// weights: [out_channels, KH, KW, C]. It holds the layout of the instruction set that was active when it
  /// was made.
  PackedConvInt8(const WindowGeometry& geometry, const int8_t* weights, int64_t out_channels);

  /// Channels of sums: out_channels rounded up to whole vectors; what belongs to a channel beyond
  /// out_channels must exist, but does not matter.
  int64_t columns() const { return columns_; }

  /// Whether a 2x2 max pool with stride 2 can be computed with the convolution: it covers whole windows only.
  bool can_pool() const { return geometry_.out_h % 2 == 0 && geometry_.out_w % 2 == 0; }

  /// What is made of the sums.
  struct Output {
    bool max_pool = false;                       // 2x2 with stride 2 follows
    const ChannelRequantizer* scales = nullptr;  // columns() of each; its bias has 128 * (sum of the weights)
                                                 // less than the convolution's, as images are stored + 128
    int8_t* out = nullptr;                       // [rows, OW, out_channels] (with max_pool half of both), or
    int32_t* sums = nullptr;                     // [rows, OW, columns()], if scales is null
  };

  /// The sums of output lines [begin, end) of one image [H,W,C], even numbers with max_pool. What lies
  /// outside of the image is `border`. scratch: scratch_bytes().
  void run(const int8_t* image, int8_t border, int64_t begin, int64_t end, std::byte* scratch,
           const Output& output) const;
  int64_t scratch_bytes() const;

 private:
  struct Panel {
    int64_t channel;  // the first one
    int64_t width;
    int64_t offset;  // of its filters
  };

  int64_t block_lines() const;
  int64_t line_bytes() const;
  int64_t lines_of(int64_t output_lines) const;
  void run_block(const int8_t* image, int8_t border, int64_t begin, int64_t end, uint8_t* lines,
                 const Output& output) const;

  WindowGeometry geometry_ = {};
  int64_t out_channels_ = 0, columns_ = 0;
  int64_t runs_ = 0, run_bytes_ = 0;
  std::vector<int64_t> run_offsets_;
  const KernelTable* table_ = nullptr;
  std::vector<Panel> panels_;
  Tensor<int8_t> filters_;
};

}  // namespace qlimit
