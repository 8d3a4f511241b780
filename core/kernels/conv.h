// Convolutions of one image, the fast form, in floats and in 8-bit integers: without a patch matrix
// (vector/conv.h has the idea).
//
//   PackedConv conv(geometry, weights, out_channels);           // once
//   conv.run(image, 0, geometry.out_h, scratch, {.epilogue = {.bias = bias}, .out = y});
//
// The integer sums are exact, so every instruction set gives the same bits; int8::conv2d_reference is the
// definition. A dense layer is a convolution with a 1x1 window: its inputs are one row of pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/table.h"
#include "core/tensor.h"

namespace qlimit {

/// How an image lies in lines with a border, so that the patches of a window need no gathering.
class ConvLines {
 public:
  /// Whether the lines that so many output lines look at have at most 2^24 elements, or eight times those of
  /// the image: a window that reaches far beyond the image would need absurdly many.
  static bool suits(const WindowGeometry& geometry, int64_t output_lines = 2);

  const WindowGeometry& geometry() const { return geometry_; }
  /// Whether a 2x2 max pool with stride 2 can be computed with the convolution: it covers whole windows only.
  bool can_pool() const { return geometry_.out_h % 2 == 0 && geometry_.out_w % 2 == 0; }

 protected:
  ConvLines() = default;
  explicit ConvLines(const WindowGeometry& geometry);

  /// Output lines that are computed from one filling of the lines.
  int64_t block_lines(int64_t element_bytes) const;
  int64_t line_length() const;
  /// Elements of the lines for so many output lines, and of what is read behind them.
  int64_t total_length(int64_t output_lines) const;
  template <typename Element>
  BorderedLines<Element> lines_for(const Element* image, int64_t begin, int64_t end) const;

  WindowGeometry geometry_ = {};
  int64_t runs_ = 0, run_length_ = 0;
  std::vector<int64_t> run_offsets_;
  const KernelTable* table_ = nullptr;
};

/// Filters in panels, for such lines: what float and integer convolutions share.
class ConvFilters : public ConvLines {
 public:
  /// Channels of sums: the output's, rounded up to whole vectors. What belongs to the further ones must
  /// exist, but does not matter.
  int64_t columns() const { return columns_; }

 protected:
  struct Panel {
    int64_t channel;  // the first one
    int64_t width;
    int64_t offset;  // of its filters, in bytes
  };

  ConvFilters() = default;
  ConvFilters(const WindowGeometry& geometry, int64_t out_channels, const ConvPacking& packing);

  template <typename Element>
  ConvGrid<Element> grid(const Panel& panel, const Element* lines, int64_t output_lines, bool max_pool,
                         int64_t pixel_stride) const;
  /// The first output pixel of line `line`, counted from line `begin`.
  int64_t pixels_before(int64_t begin, int64_t line, bool max_pool) const;

  int64_t out_channels_ = 0, columns_ = 0;
  std::vector<Panel> panels_;
  Tensor<uint8_t> filters_;
};

class PackedConv : public ConvFilters {
 public:
  PackedConv() = default;
  /// weights: [out_channels, KH, KW, C]. It holds the layout of the instruction set that was active when it
  /// was made.
  PackedConv(const WindowGeometry& geometry, const Real* weights, int64_t out_channels);

  struct Output {
    bool max_pool = false;  // 2x2 with stride 2 follows
    Epilogue epilogue = {};
    Real* out = nullptr;  // [lines, OW, out_channels], or with max_pool half of both
  };

  /// Output lines [begin, end) of one image [H,W,C], even numbers with max_pool. scratch: scratch_bytes().
  void run(const Real* image, int64_t begin, int64_t end, std::byte* scratch, const Output& output) const;
  int64_t scratch_bytes() const;
};

/// The gradients of a convolution's filters and bias.
class ConvGradient : public ConvLines {
 public:
  ConvGradient(const WindowGeometry& geometry, int64_t out_channels);

  /// Elements of the sums: for each output channel those of the filter and some more, then the bias'.
  int64_t sums_size() const { return out_channels_ * (sums_stride() + 1); }
  /// Adds what one image [H,W,C] and its upstream gradient [OH,OW,O] give. scratch: scratch_bytes().
  void add(const Real* image, const Real* upstream, std::byte* scratch, Real* sums) const;
  int64_t scratch_bytes() const;

  /// The gradients of filter `channel` [KH,KW,C] and its bias: the sums of `parts` such sums, one behind the
  /// other, added in order and in double.
  void finish(int64_t channel, int64_t parts, const Real* sums, Real* filter, Real* bias) const;

 private:
  /// Elements of a patch, from `first` on, in a vector.
  struct Piece {
    int64_t first, count;
  };
  int64_t sums_stride() const { return static_cast<int64_t>(patch_.size()) * table_->gradient_lanes; }

  int64_t out_channels_;
  std::vector<PatchVector> patch_;
  std::vector<Piece> pieces_;  // one for each of patch_
};

/// The window that takes the upstream gradient of a convolution with stride 1 back to its input, with
/// filters that are turned by 180 degrees.
WindowGeometry turned_geometry(const WindowGeometry& geometry, int64_t out_channels);

/// The gradient of the input is a convolution too if the stride is 1: of the upstream gradient, with the
/// filters turned by 180 degrees and their channels exchanged. weights: [O,KH,KW,C]; runs on [OH,OW,O] and
/// gives [H,W,C].
PackedConv input_gradient_conv(const WindowGeometry& geometry, const Real* weights, int64_t out_channels);

class PackedConvInt8 : public ConvFilters {
 public:
  PackedConvInt8() = default;
  /// As PackedConv.
  PackedConvInt8(const WindowGeometry& geometry, const int8_t* weights, int64_t out_channels);

  /// Images are stored as x + image_offset(), so the sums have image_offset() * (sum of the weights) too
  /// much.
  int32_t image_offset() const { return table_->conv_int8_offset; }

  struct Output {
    bool max_pool = false;                       // 2x2 with stride 2 follows
    const ChannelRequantizer* scales = nullptr;  // columns() of each; its bias takes the offset back
    int8_t* out = nullptr;                       // as PackedConv's, or
    int32_t* sums = nullptr;                     // [lines, OW, columns()], if scales is null
  };

  /// As PackedConv; what lies outside of the image is `border`.
  void run(const int8_t* image, int8_t border, int64_t begin, int64_t end, std::byte* scratch,
           const Output& output) const;
  int64_t scratch_bytes() const;
};

}  // namespace qlimit
