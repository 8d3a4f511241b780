#include "core/kernels/depthwise.h"

#include <algorithm>

namespace qlimit {
namespace {

WindowGeometry with_channels(WindowGeometry g, int64_t channels) {
  g.channels = channels;
  return g;
}

/// How many pixels of a line are taken as one: as few as fill the vectors.
int64_t choose_fold(const WindowGeometry& g, int64_t lanes) {
  if (g.window.stride_w > 1) return 1;
  for (int64_t fold = 1; fold <= lanes && g.out_w % fold == 0; fold *= 2) {
    if (fold * g.channels % lanes == 0) return fold;
  }
  return 1;
}

Real lane_of(Real weight) { return weight; }
int32_t lane_of(int8_t weight) { return static_cast<uint16_t>(weight); }

}  // namespace

template <typename Element, typename Weight>
DepthwiseFilters<Element, Weight>::DepthwiseFilters(const WindowGeometry& g, const Element* weights,
                                                    int64_t multiplier, const int64_t (&lanes)[2])
    : ConvLines(with_channels(g, g.channels * multiplier)),
      multiplier_(multiplier),
      fold_(choose_fold(geometry_, lanes[0])) {
  const int64_t channels = geometry_.channels, all = fold_ * channels;
  for (int64_t c = 0; c < all; c = columns_) {
    const int64_t width = all - c > lanes[1] ? lanes[0] : lanes[1];
    for (int64_t tap = 0; tap < g.window.kernel_h * g.window.kernel_w; ++tap) {
      for (int64_t lane = c; lane < c + width; ++lane) {
        filters_.push_back(lane < all ? lane_of(weights[tap * channels + lane % channels]) : Weight(0));
      }
    }
    columns_ += width;
  }
}

template <typename Element, typename Weight>
int64_t DepthwiseFilters<Element, Weight>::scratch_bytes() const {
  const int64_t image = multiplier_ > 1 ? geometry_.in_h * geometry_.in_w * geometry_.channels : 0;
  constexpr int64_t kBytes = sizeof(Element);
  return (total_length(block_lines(kBytes)) + image) * kBytes;
}

template <typename Element, typename Weight>
const Element* DepthwiseFilters<Element, Weight>::repeated(const Element* image, int64_t begin, int64_t end,
                                                           Element* room) const {
  if (multiplier_ == 1) return image;
  const WindowGeometry& g = geometry_;
  const Window& w = g.window;
  const int64_t row = g.in_w * g.channels / multiplier_;
  const int64_t first = std::max<int64_t>(begin * w.stride_h - g.pad_top, 0);
  const int64_t below = (end - 1) * w.stride_h - g.pad_top + (w.kernel_h - 1) * w.dilation_h + 1;
  for (int64_t i = first * row; i < std::min(below, g.in_h) * row; ++i) {
    std::fill_n(room + i * multiplier_, multiplier_, image[i]);
  }
  return room;
}

template <typename Element, typename Weight>
DepthwiseGrid<Element, Weight> DepthwiseFilters<Element, Weight>::grid(const Element* lines,
                                                                       int64_t output_lines,
                                                                       int64_t pixel_stride) const {
  const WindowGeometry& g = geometry_;
  const Window& w = g.window;
  return {.rows = output_lines,
          .columns = line_pixels(),
          .lines = lines,
          .row_stride = w.stride_h * line_length(),
          .column_stride = w.stride_w * fold_ * g.channels,
          .kernel_h = w.kernel_h,
          .kernel_w = w.kernel_w,
          .line_step = w.dilation_h * line_length(),
          .tap_step = w.dilation_w * g.channels,
          .filters = filters_.data(),
          .channels = fold_ * g.channels,
          .pixel_stride = pixel_stride};
}

template class DepthwiseFilters<Real, Real>;
template class DepthwiseFilters<int8_t, int32_t>;

PackedDepthwise::PackedDepthwise(const WindowGeometry& geometry, const Real* weights, int64_t multiplier)
    : DepthwiseFilters(geometry, weights, multiplier, kernels().depthwise_lanes) {}

void PackedDepthwise::run(const Real* image, int64_t begin, int64_t end, std::byte* scratch,
                          const Output& output) const {
  Real* lines = reinterpret_cast<Real*>(scratch);
  const int64_t block = block_lines(sizeof(Real)), line_outputs = geometry_.out_w * geometry_.channels;
  image = repeated(image, begin, end, lines + total_length(block));
  for (int64_t line = begin; line < end; line += block) {
    const int64_t last = std::min(end, line + block);
    table_->lines(lines_for(image, line, last), lines);
    table_->depthwise({grid(lines, last - line, fold_ * geometry_.channels), output.epilogue,
                       output.out + (line - begin) * line_outputs});
  }
}

PackedDepthwiseInt8::PackedDepthwiseInt8(const WindowGeometry& geometry, const int8_t* weights,
                                         int64_t multiplier)
    : DepthwiseFilters(geometry, weights, multiplier, kernels().depthwise_int8_lanes) {}

void PackedDepthwiseInt8::run(const int8_t* image, int8_t border, int64_t begin, int64_t end,
                              std::byte* scratch, const Output& output) const {
  auto* lines = reinterpret_cast<int8_t*>(scratch);
  const int64_t block = block_lines(sizeof(int8_t));
  const int64_t pixel_stride = output.scales ? fold_ * geometry_.channels : columns_;
  image = repeated(image, begin, end, lines + total_length(block));
  for (int64_t line = begin; line < end; line += block) {
    const int64_t last = std::min(end, line + block), at = (line - begin) * line_pixels() * pixel_stride;
    table_->byte_lines(lines_for(image, line, last), border, lines);
    table_->depthwise_int8({grid(lines, last - line, pixel_stride), output.scales,
                            output.scales ? output.out + at : nullptr,
                            output.scales ? nullptr : output.sums + at});
  }
}

DepthwiseGradient::DepthwiseGradient(const WindowGeometry& geometry) : ConvLines(geometry) {
  const Window& w = geometry.window;
  for (int64_t tap = 0; tap < w.kernel_h * w.kernel_w; ++tap) {
    tap_offsets_.push_back(tap / w.kernel_w * w.dilation_h * line_length() +
                           tap % w.kernel_w * w.dilation_w * geometry.channels);
  }
}

int64_t DepthwiseGradient::filter_scratch_bytes() const {
  return total_length(block_lines(sizeof(Real))) * static_cast<int64_t>(sizeof(Real));
}

int64_t DepthwiseGradient::input_scratch_bytes() const {
  return total_length(geometry_.out_h) * static_cast<int64_t>(sizeof(Real));
}

template <typename Panel, typename Element>
Panel DepthwiseGradient::panel(Element* lines, int64_t begin, int64_t end, const Real* upstream) const {
  const WindowGeometry& g = geometry_;
  return {{.rows = end - begin,
           .columns = g.out_w,
           .lines = lines,
           .row_stride = g.window.stride_h * line_length(),
           .column_stride = g.window.stride_w * g.channels,
           .taps = static_cast<int64_t>(tap_offsets_.size()),
           .tap_offsets = tap_offsets_.data(),
           .channels = g.channels,
           .upstream = upstream + begin * g.out_w * g.channels},
          nullptr};
}

void DepthwiseGradient::add_filters(const Real* image, const Real* upstream, std::byte* scratch,
                                    Real* sums) const {
  Real* lines = reinterpret_cast<Real*>(scratch);
  const int64_t block = block_lines(sizeof(Real));
  for (int64_t line = 0; line < geometry_.out_h; line += block) {
    const int64_t last = std::min(geometry_.out_h, line + block);
    table_->lines(lines_for(image, line, last), lines);
    auto of_lines = panel<DepthwiseGradientPanel>(static_cast<const Real*>(lines), line, last, upstream);
    of_lines.sums = sums;
    table_->depthwise_gradient(of_lines);
  }
}

void DepthwiseGradient::input(const Real* upstream, const Real* weights, std::byte* scratch, Real* dx) const {
  Real* lines = reinterpret_cast<Real*>(scratch);
  std::fill_n(lines, total_length(geometry_.out_h), Real(0));
  auto whole = panel<DepthwiseScatterPanel>(lines, 0, geometry_.out_h, upstream);
  whole.weights = weights;
  table_->depthwise_scatter(whole);
  // What was added to the border falls away; pixels that no window covers have no gradient.
  std::fill_n(dx, geometry_.in_h * geometry_.in_w * geometry_.channels, Real(0));
  const BorderedLines<Real> back = lines_for(static_cast<const Real*>(dx), 0, geometry_.out_h);
  for (int64_t row = 0; row < back.rows; ++row) {
    std::copy_n(lines + back.begin + row * back.line_length, back.row_length,
                dx + (back.image - dx) + row * back.image_stride);
  }
}

PackedDepthwise input_gradient_depthwise(const WindowGeometry& g, const Real* weights) {
  const Window& w = g.window;
  const int64_t taps = w.kernel_h * w.kernel_w;
  std::vector<Real> turned;
  for (int64_t tap = taps - 1; tap >= 0; --tap) {
    turned.insert(turned.end(), weights + tap * g.channels, weights + (tap + 1) * g.channels);
  }
  return PackedDepthwise(turned_geometry(g, g.channels), turned.data());
}

}  // namespace qlimit
