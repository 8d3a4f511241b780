#include "core/kernels/conv_int8.h"

#include <algorithm>

namespace qlimit {
namespace {

constexpr int64_t kBlockBytes = 32 * 1024;  // of lines: they and the filters share the nearest caches
constexpr int64_t kReadBehind = 64;         // the last step of the last patch may read so far

}  // namespace

bool PackedConvInt8::suits(const WindowGeometry& geometry) {
  constexpr double kMostBytes = 1 << 26;
  const Window& w = geometry.window;
  const auto extent = [](int64_t out, int64_t stride, int64_t kernel, int64_t dilation) {
    return static_cast<double>(out - 1) * static_cast<double>(stride) +
           static_cast<double>(kernel - 1) * static_cast<double>(dilation) + 1;
  };
  const double rows = extent(2, w.stride_h, w.kernel_h, w.dilation_h);
  const double columns = extent(geometry.out_w, w.stride_w, w.kernel_w, w.dilation_w);
  return rows * columns * static_cast<double>(geometry.channels) <= kMostBytes;
}

PackedConvInt8::PackedConvInt8(const WindowGeometry& geometry, const int8_t* weights, int64_t out_channels)
    : geometry_(geometry), out_channels_(out_channels), table_(&kernels()) {
  const Window& w = geometry.window;
  // Neighbouring taps of a row lie side by side, unless they are dilated.
  const int64_t row_runs = w.dilation_w == 1 ? 1 : w.kernel_w;
  runs_ = w.kernel_h * row_runs;
  run_bytes_ = w.kernel_w / row_runs * geometry.channels;
  for (int64_t run = 0; run < runs_; ++run) {
    run_offsets_.push_back(run / row_runs * w.dilation_h * line_bytes() +
                           run % row_runs * w.dilation_w * geometry.channels);
  }
  int64_t bytes = 0;
  while (columns_ < out_channels) {
    const int64_t width = next_panel_width(table_->conv_int8_widths, out_channels - columns_);
    panels_.push_back({columns_, width, bytes});
    bytes += table_->conv_int8_filter_bytes(width, runs_, run_bytes_);
    columns_ += width;
  }
  filters_ = Tensor<int8_t>({bytes});
  for (const Panel& panel : panels_) {
    table_->pack_conv_int8(panel.width, runs_, run_bytes_,
                           std::min(panel.width, out_channels - panel.channel),
                           weights + panel.channel * runs_ * run_bytes_, filters_.data() + panel.offset);
  }
}

int64_t PackedConvInt8::line_bytes() const {
  const Window& w = geometry_.window;
  return ((geometry_.out_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1) * geometry_.channels;
}

int64_t PackedConvInt8::lines_of(int64_t output_lines) const {
  const Window& w = geometry_.window;
  return (output_lines - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1;
}

int64_t PackedConvInt8::block_lines() const {
  const int64_t lines = kBlockBytes / (line_bytes() * geometry_.window.stride_h) / 2 * 2;
  return std::clamp<int64_t>(lines, 2, std::max<int64_t>(geometry_.out_h, 2));
}

int64_t PackedConvInt8::scratch_bytes() const { return lines_of(block_lines()) * line_bytes() + kReadBehind; }

void PackedConvInt8::run(const int8_t* image, int8_t border, int64_t begin, int64_t end, std::byte* scratch,
                         const Output& output) const {
  const int64_t block = block_lines();
  for (int64_t line = begin; line < end; line += block) {
    Output part = output;
    const int64_t done =
        output.max_pool ? (line - begin) / 2 * (geometry_.out_w / 2) : (line - begin) * geometry_.out_w;
    if (part.out) part.out += done * out_channels_;
    if (part.sums) part.sums += done * columns_;
    run_block(image, border, line, std::min(end, line + block), reinterpret_cast<uint8_t*>(scratch), part);
  }
}

void PackedConvInt8::run_block(const int8_t* image, int8_t border, int64_t begin, int64_t end, uint8_t* lines,
                               const Output& output) const {
  const WindowGeometry& g = geometry_;
  const Window& w = g.window;
  // Line 0 of the block is row `top` of the image, which may lie above it.
  const int64_t top = begin * w.stride_h - g.pad_top, count = lines_of(end - begin);
  const int64_t first = std::max<int64_t>(top, 0), last = std::min(g.in_h, top + count);
  const int64_t width = line_bytes() / g.channels - g.pad_left;  // columns of the image that are looked at
  table_->int8_lines({.rows = std::max<int64_t>(last - first, 0),
                      .row_bytes = std::min(g.in_w, width) * g.channels,
                      .image_stride = g.in_w * g.channels,
                      .image = image + first * g.in_w * g.channels,
                      .line_bytes = line_bytes(),
                      .total_bytes = count * line_bytes() + kReadBehind,
                      .begin = (first - top) * line_bytes() + g.pad_left * g.channels,
                      .border = static_cast<uint8_t>(border + 128),
                      .lines = lines});
  for (const Panel& panel : panels_) {
    const int64_t channels = std::min(panel.width, out_channels_ - panel.channel);
    ChannelRequantizer scales = {};
    if (output.scales) scales = output.scales->from(panel.channel);
    table_->conv_int8_panel({.rows = end - begin,
                             .columns = g.out_w,
                             .lines = lines,
                             .row_stride = w.stride_h * line_bytes(),
                             .column_stride = w.stride_w * g.channels,
                             .runs = runs_,
                             .run_bytes = run_bytes_,
                             .run_offsets = run_offsets_.data(),
                             .filters = filters_.data() + panel.offset,
                             .width = panel.width,
                             .max_pool = output.max_pool,
                             .scales = output.scales ? &scales : nullptr,
                             .channels = channels,
                             .pixel_stride = output.scales ? out_channels_ : columns_,
                             .out = output.scales ? output.out + panel.channel : nullptr,
                             .sums = output.scales ? nullptr : output.sums + panel.channel});
  }
}

}  // namespace qlimit
