#include "core/kernels/conv.h"

#include <algorithm>

namespace qlimit {
namespace {

constexpr int64_t kBlockBytes = 32 * 1024;  // of lines: they and the filters share the nearest caches
constexpr int64_t kReadBehind = 16;         // elements: the last step of the last patch may read so far

/// The width of the panel that takes the next channels: the narrowest that holds all that are left, else the
/// widest; but if one and a half vectors are left and can be had, no more.
int64_t next_width(const ConvPacking& packing, int64_t channels_left) {
  const int64_t one_and_half = packing.widths[1] + packing.widths[2];
  const bool splits = packing.narrow_is_whole && channels_left > packing.widths[1];
  return splits && channels_left <= one_and_half ? packing.widths[1]
                                                 : next_panel_width(packing.widths, channels_left);
}

int64_t extent(int64_t out, int64_t stride, int64_t kernel, int64_t dilation) {
  return (out - 1) * stride + (kernel - 1) * dilation + 1;
}

}  // namespace

bool ConvLines::suits(const WindowGeometry& geometry, int64_t output_lines) {
  const double image = static_cast<double>(geometry.in_h * geometry.in_w * geometry.channels);
  const double most = std::max(8 * image, 1.0 * (1 << 24));
  const Window& w = geometry.window;  // its numbers are at most 2^20, so none of these overflows
  const int64_t rows = extent(std::min(output_lines, geometry.out_h), w.stride_h, w.kernel_h, w.dilation_h);
  const int64_t columns = extent(geometry.out_w, w.stride_w, w.kernel_w, w.dilation_w);
  return static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(geometry.channels) <=
         most;
}

ConvLines::ConvLines(const WindowGeometry& geometry) : geometry_(geometry), table_(&kernels()) {
  const Window& w = geometry.window;
  // Neighbouring taps of a row lie side by side, unless they are dilated.
  const int64_t row_runs = w.dilation_w == 1 ? 1 : w.kernel_w;
  runs_ = w.kernel_h * row_runs;
  run_length_ = w.kernel_w / row_runs * geometry.channels;
  for (int64_t run = 0; run < runs_; ++run) {
    run_offsets_.push_back(run / row_runs * w.dilation_h * line_length() +
                           run % row_runs * w.dilation_w * geometry.channels);
  }
}

ConvFilters::ConvFilters(const WindowGeometry& geometry, int64_t out_channels, const ConvPacking& packing)
    : ConvLines(geometry), out_channels_(out_channels) {
  int64_t bytes = 0;
  while (columns_ < out_channels) {
    const int64_t width = next_width(packing, out_channels - columns_);
    panels_.push_back({columns_, width, bytes});
    bytes += packing.filter_bytes(width, runs_, run_length_);
    columns_ += width;
  }
  filters_ = Tensor<uint8_t>({bytes});
}

int64_t ConvLines::line_length() const {
  const Window& w = geometry_.window;
  return extent(geometry_.out_w, w.stride_w, w.kernel_w, w.dilation_w) * geometry_.channels;
}

int64_t ConvLines::total_length(int64_t output_lines) const {
  const Window& w = geometry_.window;
  return extent(output_lines, w.stride_h, w.kernel_h, w.dilation_h) * line_length() + kReadBehind;
}

int64_t ConvLines::block_lines(int64_t element_bytes) const {
  const int64_t lines = kBlockBytes / (line_length() * element_bytes * geometry_.window.stride_h) / 2 * 2;
  return std::clamp<int64_t>(lines, std::min<int64_t>(geometry_.out_h, 2), geometry_.out_h);
}

int64_t ConvFilters::pixels_before(int64_t begin, int64_t line, bool max_pool) const {
  return max_pool ? (line - begin) / 2 * (geometry_.out_w / 2) : (line - begin) * geometry_.out_w;
}

template <typename Element>
BorderedLines<Element> ConvLines::lines_for(const Element* image, int64_t begin, int64_t end) const {
  const WindowGeometry& g = geometry_;
  const Window& w = g.window;
  // Line 0 of the block is row `top` of the image, which may lie above it.
  const int64_t top = begin * w.stride_h - g.pad_top;
  const int64_t count = extent(end - begin, w.stride_h, w.kernel_h, w.dilation_h);
  const int64_t first = std::max<int64_t>(top, 0), last = std::min(g.in_h, top + count);
  const int64_t width = line_length() / g.channels - g.pad_left;  // columns of the image that are looked at
  return {.rows = std::max<int64_t>(last - first, 0),
          .row_length = std::min(g.in_w, width) * g.channels,
          .image_stride = g.in_w * g.channels,
          .image = image + first * g.in_w * g.channels,
          .line_length = line_length(),
          .total_length = count * line_length() + kReadBehind,
          .begin = (first - top) * line_length() + g.pad_left * g.channels};
}
template BorderedLines<Real> ConvLines::lines_for(const Real*, int64_t, int64_t) const;
template BorderedLines<int8_t> ConvLines::lines_for(const int8_t*, int64_t, int64_t) const;

template <typename Element>
ConvGrid<Element> ConvFilters::grid(const Panel& panel, const Element* lines, int64_t output_lines,
                                    bool max_pool, int64_t pixel_stride) const {
  const Window& w = geometry_.window;
  return {.rows = output_lines,
          .columns = geometry_.out_w,
          .lines = lines,
          .row_stride = w.stride_h * line_length(),
          .column_stride = w.stride_w * geometry_.channels,
          .runs = runs_,
          .run_length = run_length_,
          .run_offsets = run_offsets_.data(),
          .filters = reinterpret_cast<const std::byte*>(filters_.data()) + panel.offset,
          .width = panel.width,
          .max_pool = max_pool,
          .channels = std::min(panel.width, out_channels_ - panel.channel),
          .pixel_stride = pixel_stride};
}

PackedConv::PackedConv(const WindowGeometry& geometry, const Real* weights, int64_t out_channels)
    : ConvFilters(geometry, out_channels, kernels().conv_packing) {
  for (const Panel& panel : panels_) {
    table_->pack_conv(panel.width, runs_, run_length_, std::min(panel.width, out_channels - panel.channel),
                      weights + panel.channel * runs_ * run_length_,
                      reinterpret_cast<std::byte*>(filters_.data()) + panel.offset);
  }
}

int64_t PackedConv::scratch_bytes() const {
  return total_length(block_lines(sizeof(Real))) * static_cast<int64_t>(sizeof(Real));
}

void PackedConv::run(const Real* image, int64_t begin, int64_t end, std::byte* scratch,
                     const Output& output) const {
  Real* lines = reinterpret_cast<Real*>(scratch);
  const int64_t block = block_lines(sizeof(Real));
  for (int64_t line = begin; line < end; line += block) {
    const int64_t last = std::min(end, line + block);
    table_->lines(lines_for(image, line, last), lines);
    Real* out = output.out + pixels_before(begin, line, output.max_pool) * out_channels_;
    for (const Panel& panel : panels_) {
      Epilogue epilogue = output.epilogue;
      if (epilogue.bias) epilogue.bias += panel.channel;
      table_->conv_panel({grid<Real>(panel, lines, last - line, output.max_pool, out_channels_), epilogue,
                          out + panel.channel});
    }
  }
}

ConvGradient::ConvGradient(const WindowGeometry& geometry, int64_t out_channels)
    : ConvLines(geometry), out_channels_(out_channels) {
  const int64_t lanes = table_->gradient_lanes;
  for (int64_t k = 0; k < runs_ * run_length_;) {
    PatchVector vector = {{0, 0, 0}, {lanes, lanes}};
    int64_t filled = 0;
    for (int piece = 0; piece < 3 && filled < lanes && k + filled < runs_ * run_length_; ++piece) {
      const int64_t run = (k + filled) / run_length_, begin = (k + filled) % run_length_;
      const int64_t offset = run_offsets_[static_cast<size_t>(run)] + begin - filled;
      std::fill(vector.offsets + piece, vector.offsets + 3, offset);
      filled = std::min(lanes, filled + run_length_ - begin);
      if (piece < 2) std::fill(vector.ends + piece, vector.ends + 2, filled);
    }
    filled = std::min(filled, runs_ * run_length_ - k);
    patch_.push_back(vector);
    pieces_.push_back({k, filled});
    k += filled;
  }
}

int64_t ConvGradient::scratch_bytes() const {
  return (total_length(block_lines(sizeof(Real))) + out_channels_) * static_cast<int64_t>(sizeof(Real));
}

void ConvGradient::add(const Real* image, const Real* upstream, std::byte* scratch, Real* sums) const {
  const WindowGeometry& g = geometry_;
  Real* image_bias = reinterpret_cast<Real*>(scratch);
  Real* bias = sums + out_channels_ * sums_stride();
  table_->channel_sums(g.out_pixels(), out_channels_, upstream, image_bias);
  for (int64_t o = 0; o < out_channels_; ++o) bias[o] += image_bias[o];

  Real* lines = image_bias + out_channels_;
  const int64_t block = block_lines(sizeof(Real));
  for (int64_t line = 0; line < g.out_h; line += block) {
    const int64_t last = std::min(g.out_h, line + block);
    table_->lines(lines_for(image, line, last), lines);
    table_->conv_gradient_panel({.rows = last - line,
                                 .columns = g.out_w,
                                 .lines = lines,
                                 .row_stride = g.window.stride_h * line_length(),
                                 .column_stride = g.window.stride_w * g.channels,
                                 .vectors = static_cast<int64_t>(patch_.size()),
                                 .patch = patch_.data(),
                                 .upstream = upstream + line * g.out_w * out_channels_,
                                 .pixel_stride = out_channels_,
                                 .channels = out_channels_,
                                 .sums = sums,
                                 .sums_stride = sums_stride()});
  }
}

void ConvGradient::finish(int64_t channel, int64_t parts, const Real* sums, Real* filter, Real* bias) const {
  const auto total = [&](int64_t at) {
    double sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += static_cast<double>(sums[part * sums_size() + at]);
    return static_cast<Real>(sum);
  };
  for (size_t v = 0; v < pieces_.size(); ++v) {
    const int64_t at = channel * sums_stride() + static_cast<int64_t>(v) * table_->gradient_lanes;
    for (int64_t i = 0; i < pieces_[v].count; ++i) filter[pieces_[v].first + i] = total(at + i);
  }
  *bias = total(out_channels_ * sums_stride() + channel);
}

WindowGeometry turned_geometry(const WindowGeometry& g, int64_t out_channels) {
  const Window& w = g.window;
  WindowGeometry back = g;
  back.in_h = g.out_h;
  back.in_w = g.out_w;
  back.channels = out_channels;
  back.out_h = g.in_h;
  back.out_w = g.in_w;
  back.pad_top = (w.kernel_h - 1) * w.dilation_h - g.pad_top;
  back.pad_left = (w.kernel_w - 1) * w.dilation_w - g.pad_left;
  return back;
}

PackedConv input_gradient_conv(const WindowGeometry& g, const Real* weights, int64_t out_channels) {
  const Window& w = g.window;
  const WindowGeometry back = turned_geometry(g, out_channels);
  const int64_t taps = w.kernel_h * w.kernel_w;
  std::vector<Real> turned(static_cast<size_t>(g.channels * taps * out_channels));
  for (int64_t o = 0; o < out_channels; ++o) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t c = 0; c < g.channels; ++c) {
        turned[static_cast<size_t>((c * taps + taps - 1 - tap) * out_channels + o)] =
            weights[(o * taps + tap) * g.channels + c];
      }
    }
  }
  return PackedConv(back, turned.data(), g.channels);
}

PackedConvInt8::PackedConvInt8(const WindowGeometry& geometry, const int8_t* weights, int64_t out_channels)
    : ConvFilters(geometry, out_channels, kernels().conv_int8_packing) {
  for (const Panel& panel : panels_) {
    table_->pack_conv_int8(panel.width, runs_, run_length_,
                           std::min(panel.width, out_channels - panel.channel),
                           weights + panel.channel * runs_ * run_length_,
                           reinterpret_cast<std::byte*>(filters_.data()) + panel.offset);
  }
}

int64_t PackedConvInt8::scratch_bytes() const {
  const int64_t element_bytes = table_->conv_int8_element_bytes;
  return total_length(block_lines(element_bytes)) * element_bytes;
}

void PackedConvInt8::run(const int8_t* image, int8_t border, int64_t begin, int64_t end, std::byte* scratch,
                         const Output& output) const {
  const int64_t block = block_lines(table_->conv_int8_element_bytes);
  const int64_t pixel_stride = output.scales ? out_channels_ : columns_;
  for (int64_t line = begin; line < end; line += block) {
    const int64_t last = std::min(end, line + block);
    table_->int8_lines(lines_for(image, line, last), border, scratch);
    const int64_t at = pixels_before(begin, line, output.max_pool) * pixel_stride;
    for (const Panel& panel : panels_) {
      const auto of_panel = grid<std::byte>(panel, scratch, last - line, output.max_pool, pixel_stride);
      if (output.scales) {
        const ChannelRequantizer scales = output.scales->from(panel.channel);
        table_->conv_int8_panel({of_panel, &scales, output.out + at + panel.channel, nullptr});
      } else {
        table_->conv_int8_panel({of_panel, nullptr, nullptr, output.sums + at + panel.channel});
      }
    }
  }
}

}  // namespace qlimit
