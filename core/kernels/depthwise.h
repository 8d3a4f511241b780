// Depthwise convolutions of one image, the fast form, in floats and in 8-bit integers, and their gradients
// (vector/depthwise.h has the idea).
//
//   PackedDepthwise conv(geometry, weights, multiplier);       // once
//   conv.run(image, 0, geometry.out_h, scratch, {.epilogue = {.bias = bias}, .out = y});
//
// Output channel c * multiplier + m is a filter's m-th one for input channel c. The integer sums are exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/conv.h"
#include "core/kernels/table.h"
#include "core/tensor.h"

namespace qlimit {

/// What float and integer form share. Where channels do not fill a vector, `fold` neighbouring output pixels
/// are taken as one with fold times as many channels: without a stride their inputs are neighbours too.
template <typename Element, typename Weight>
class DepthwiseFilters : public ConvLines {
 public:
  /// As ConvLines::suits, of lines that have each channel as often as it has filters.
  static bool suits(WindowGeometry geometry, int64_t multiplier, int64_t output_lines = 2) {
    geometry.channels *= multiplier;
    return ConvLines::suits(geometry, output_lines);
  }

  /// Channels of folded sums: the outputs', times the pixels that are taken as one, rounded up to whole
  /// vectors.
  int64_t columns() const { return columns_; }
  /// Numbers that each channel has, as the folded sums want them.
  template <typename T>
  std::vector<T> folded(const std::vector<T>& per_channel) const {
    std::vector<T> all;
    for (int64_t i = 0; i < fold_; ++i) all.insert(all.end(), per_channel.begin(), per_channel.end());
    return all;
  }
  /// Folded sums in a line.
  int64_t line_pixels() const { return geometry_.out_w / fold_; }
  int64_t scratch_bytes() const;

 protected:
  DepthwiseFilters() = default;
  DepthwiseFilters(const WindowGeometry& geometry, const Element* weights, int64_t multiplier,
                   const int64_t (&lanes)[2]);

  /// The image with each channel as often as it has filters: its rows for the output lines [begin, end).
  const Element* repeated(const Element* image, int64_t begin, int64_t end, Element* room) const;
  DepthwiseGrid<Element, Weight> grid(const Element* lines, int64_t output_lines, int64_t pixel_stride) const;

  int64_t multiplier_ = 1, fold_ = 1, columns_ = 0;
  std::vector<Weight> filters_;
};

class PackedDepthwise : public DepthwiseFilters<Real, Real> {
 public:
  PackedDepthwise() = default;
  /// geometry: the window over images with C channels; weights: [KH,KW,C*multiplier]. It holds the layout of
  /// the instruction set that was active when it was made.
  PackedDepthwise(const WindowGeometry& geometry, const Real* weights, int64_t multiplier = 1);

  struct Output {
    Epilogue epilogue = {};  // its bias is `folded`
    Real* out = nullptr;     // [lines, OW, C*multiplier]
  };

  /// Output lines [begin, end) of one image [H,W,C]. scratch: scratch_bytes().
  void run(const Real* image, int64_t begin, int64_t end, std::byte* scratch, const Output& output) const;
};

class PackedDepthwiseInt8 : public DepthwiseFilters<int8_t, int32_t> {
 public:
  PackedDepthwiseInt8() = default;
  /// As PackedDepthwise.
  PackedDepthwiseInt8(const WindowGeometry& geometry, const int8_t* weights, int64_t multiplier = 1);

  struct Output {
    const ChannelRequantizer* scales = nullptr;  // columns() of each
    int8_t* out = nullptr;                       // as PackedDepthwise's, or
    int32_t* sums = nullptr;                     // [lines, line_pixels(), columns()], if scales is null
  };

  /// As PackedDepthwise; what lies outside of the image is `border`.
  void run(const int8_t* image, int8_t border, int64_t begin, int64_t end, std::byte* scratch,
           const Output& output) const;
};

/// The gradients of a depthwise convolution with multiplier 1.
class DepthwiseGradient : public ConvLines {
 public:
  explicit DepthwiseGradient(const WindowGeometry& geometry);

  /// sums[KH,KW,C] += what one image [H,W,C] and its upstream gradient [OH,OW,C] add to the gradient of the
  /// filters. scratch: filter_scratch_bytes().
  void add_filters(const Real* image, const Real* upstream, std::byte* scratch, Real* sums) const;
  /// dx[H,W,C] = the gradient of one image. weights: [KH,KW,C], scratch: input_scratch_bytes(), for the lines
  /// of the whole image.
  void input(const Real* upstream, const Real* weights, std::byte* scratch, Real* dx) const;
  int64_t filter_scratch_bytes() const;
  int64_t input_scratch_bytes() const;

 private:
  template <typename Panel, typename Element>
  Panel panel(Element* lines, int64_t begin, int64_t end, const Real* upstream) const;

  std::vector<int64_t> tap_offsets_;
};

/// The gradient of the input is a depthwise convolution too if the stride is 1: of the upstream gradient,
/// with the filters turned by 180 degrees. weights: [KH,KW,C]; runs on [OH,OW,C] and gives [H,W,C].
PackedDepthwise input_gradient_depthwise(const WindowGeometry& geometry, const Real* weights);

}  // namespace qlimit
