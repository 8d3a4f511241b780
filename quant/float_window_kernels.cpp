#include "quant/float_window_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/kernels/conv.h"
#include "core/kernels/depthwise.h"
#include "core/kernels/gemm.h"
#include "quant/window_parts.h"

namespace qlimit {
namespace {

/// The bias of a node with weights, or zeros.
std::vector<float> bias_of(const Graph& graph, const Node& node, int64_t channels) {
  if (node.inputs.size() < 3) return std::vector<float>(static_cast<size_t>(channels), 0.0f);
  const Tensor<float>& bias = graph.value(node.inputs[2]).constant;
  return {bias.begin(), bias.end()};
}

Epilogue epilogue(const std::vector<float>& bias, Bounds bounds) {
  return {.bias = bias.data(),
          .clamps = std::isfinite(bounds.low) || std::isfinite(bounds.high),
          .low = bounds.low,
          .high = bounds.high};
}

/// A matrix product with the weights of a layer, and what is done to each element of the result.
struct Product {
  PackedMatrix weights;  // [K,O]
  std::vector<float> bias;
  Bounds bounds;

  Product(const Graph& graph, const Node& node, Activation activation) : bounds(bounds_of(activation)) {
    const Tensor<float>& weight = graph.value(node.inputs[1]).constant;
    const int64_t outputs = weight.dim(0);
    const int64_t inputs = weight.size() / outputs;
    weights = PackedMatrix({weight.data(), 1, inputs}, inputs, outputs);
    bias = bias_of(graph, node, outputs);
  }

  /// out[rows,O] = x[rows,K] * weights
  void run(int64_t rows, const float* x, float* out) const {
    gemm(rows, {x, weights.k(), 1}, weights, out, weights.n(), epilogue(bias, bounds));
  }
};

/// A kernel that computes one output pixel after the other: `pixel(x, oy, ox, out)` gets an image, the place
/// and room for the pixel's `out_channels` results. pixel_work: its multiply-adds.
template <typename Pixel>
CompiledNode over_pixels(const WindowGeometry& g, int64_t out_channels, int64_t pixel_work,
                         const Pixel& pixel) {
  const ImageParts parts(g, g.out_w * pixel_work, 0);
  return {.run = [=](const KernelArguments& a) {
    parts.run([&](int64_t, int64_t image, int64_t begin, int64_t end) {
      const float* x = a.in<float>() + image * g.in_h * g.in_w * g.channels;
      float* out = a.out<float>() + (image * g.out_h + begin) * g.out_w * out_channels;
      for (int64_t oy = begin; oy < end; ++oy) {
        for (int64_t ox = 0; ox < g.out_w; ++ox, out += out_channels) pixel(x, oy, ox, out);
      }
    });
  }};
}

/// The taps of a window along one axis that fall inside the image: begin, begin + 1, ..., end - 1.
struct TapRange {
  TapRange(int64_t start, int64_t kernel, int64_t dilation, int64_t size)
      : begin(start < 0 ? (-start + dilation - 1) / dilation : 0),
        end(std::min(kernel, (size - start + dilation - 1) / dilation)) {}
  int64_t begin, end;
};

/// Calls tap(offset of the input pixel, index of the tap) for each place of the image that the window covers
/// at output place (oy,ox).
template <typename Tap>
void for_each_tap_at(const WindowGeometry& g, int64_t oy, int64_t ox, const Tap& tap) {
  const Window& w = g.window;
  const int64_t y = oy * w.stride_h - g.pad_top, x = ox * w.stride_w - g.pad_left;
  const TapRange rows(y, w.kernel_h, w.dilation_h, g.in_h), columns(x, w.kernel_w, w.dilation_w, g.in_w);
  for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
      const int64_t pixel = (y + ky * w.dilation_h) * g.in_w + x + kx * w.dilation_w;
      tap(pixel * g.channels, ky * w.kernel_w + kx);
    }
  }
}

/// Several groups, and windows that reach far beyond the image: both are rare, and found in imported models
/// only.
CompiledNode compile_grouped(const WindowGeometry& g, const Tensor<float>& weight,
                             const std::vector<float>& bias, Bounds bounds) {
  const int64_t outputs = weight.dim(0), inputs = weight.dim(3), taps = weight.dim(1) * weight.dim(2);
  const int64_t group_outputs = outputs / (g.channels / inputs);
  return over_pixels(g, outputs, weight.size(), [=](const float* x, int64_t oy, int64_t ox, float* out) {
    std::copy(bias.begin(), bias.end(), out);
    for_each_tap_at(g, oy, ox, [&](int64_t pixel, int64_t tap) {
      for (int64_t o = 0; o < outputs; ++o) {
        const float* from = x + pixel + o / group_outputs * inputs;
        const float* w = weight.data() + (o * taps + tap) * inputs;
        for (int64_t c = 0; c < inputs; ++c) out[o] += from[c] * w[c];
      }
    });
    for (int64_t o = 0; o < outputs; ++o) out[o] = bounds.clamp(out[o]);
  });
}

/// Depthwise convolutions whose windows do.
CompiledNode compile_sparse_depthwise(const WindowGeometry& g, const Tensor<float>& weight,
                                      const std::vector<float>& bias, Bounds bounds) {
  const int64_t outputs = weight.dim(3), multiplier = outputs / g.channels;
  return over_pixels(g, outputs, weight.size(), [=](const float* x, int64_t oy, int64_t ox, float* out) {
    std::copy(bias.begin(), bias.end(), out);
    for_each_tap_at(g, oy, ox, [&](int64_t pixel, int64_t tap) {
      for (int64_t o = 0; o < outputs; ++o) out[o] += x[pixel + o / multiplier] * weight[tap * outputs + o];
    });
    for (int64_t o = 0; o < outputs; ++o) out[o] = bounds.clamp(out[o]);
  });
}

/// A pool is a start value, what each pixel under the window does to it, and what its size does in the end.
template <typename Merge, typename Finish>
CompiledNode compile_pool(const WindowGeometry& g, float start, Merge merge, Finish finish) {
  return over_pixels(g, g.channels, g.patch_size(), [=](const float* x, int64_t oy, int64_t ox, float* out) {
    std::fill(out, out + g.channels, start);
    int64_t taps = 0;
    for_each_tap_at(g, oy, ox, [&](int64_t pixel, int64_t) {
      for (int64_t c = 0; c < g.channels; ++c) out[c] = merge(out[c], x[pixel + c]);
      ++taps;
    });
    for (int64_t c = 0; c < g.channels; ++c) out[c] = finish(out[c], static_cast<float>(taps));
  });
}

}  // namespace

CompiledNode compile_float(const Graph& graph, const Node& node, const op::Conv2D& o) {
  const WindowGeometry g = lay_window("conv2d", o.window, graph.value(node.inputs[0]).shape);
  const Tensor<float>& weight = graph.value(node.inputs[1]).constant;
  const int64_t out_channels = weight.dim(0);
  const auto bias = std::make_shared<const std::vector<float>>(bias_of(graph, node, out_channels));
  const Bounds bounds = bounds_of(o.activation);
  if (weight.dim(3) != g.channels || !PackedConv::suits(g)) return compile_grouped(g, weight, *bias, bounds);

  const auto packed = std::make_shared<const PackedConv>(g, weight.data(), out_channels);
  const int64_t row_work = g.out_w * g.patch_size() * out_channels;
  const auto make = [&](bool max_pool) {
    const int64_t shrunk = max_pool ? 4 : 1;
    return over_images<float>(g, g.out_pixels() / shrunk * out_channels,
                              ImageParts(g, row_work, packed->scratch_bytes(), max_pool ? 2 : 1),
                              [=](const float* x, int64_t begin, int64_t end, std::byte* scratch, float* y) {
                                packed->run(x, begin, end, scratch,
                                            {.max_pool = max_pool,
                                             .epilogue = epilogue(*bias, bounds),
                                             .out = y + begin * g.out_w / shrunk * out_channels});
                              });
  };
  const ImageParts parts(g, row_work, packed->scratch_bytes());
  return {.run = make(false),
          .scratch_bytes = parts.all_scratch_bytes(),
          .run_with_next = packed->can_pool() && is_pooled_by_next(graph, node) ? make(true) : Kernel()};
}

CompiledNode compile_float(const Graph& graph, const Node& node, const op::DepthwiseConv2D& o) {
  const WindowGeometry g = lay_window("depthwise_conv2d", o.window, graph.value(node.inputs[0]).shape);
  const Tensor<float>& weight = graph.value(node.inputs[1]).constant;
  const int64_t out_channels = weight.dim(3);
  const std::vector<float> bias = bias_of(graph, node, out_channels);
  const Bounds bounds = bounds_of(o.activation);
  const int64_t multiplier = out_channels / g.channels;
  if (!PackedDepthwise::suits(g, multiplier)) return compile_sparse_depthwise(g, weight, bias, bounds);

  const auto packed = std::make_shared<const PackedDepthwise>(g, weight.data(), multiplier);
  const ImageParts parts(g, depthwise_row_work(g, out_channels), packed->scratch_bytes());
  return {
      .run = over_images<float>(g, g.out_pixels() * out_channels, parts,
                                [=, biases = packed->folded(bias)](const float* x, int64_t begin, int64_t end,
                                                                   std::byte* scratch, float* y) {
                                  packed->run(x, begin, end, scratch,
                                              {.epilogue = epilogue(biases, bounds),
                                               .out = y + begin * g.out_w * out_channels});
                                }),
      .scratch_bytes = parts.all_scratch_bytes()};
}

CompiledNode compile_float(const Graph& graph, const Node& node, const op::Dense& o) {
  const auto product = std::make_shared<const Product>(graph, node, o.activation);
  const int64_t rows = graph.value(node.output).shape[0];
  return {.run = [=](const KernelArguments& a) { product->run(rows, a.in<float>(), a.out<float>()); }};
}

CompiledNode compile_float(const Graph& graph, const Node& node, const op::MaxPool2D& o) {
  const Bounds bounds = bounds_of(o.activation);
  return compile_pool(
      lay_pool("max_pool2d", o.window, graph.value(node.inputs[0]).shape),
      -std::numeric_limits<float>::infinity(),
      [](float best, float x) { return x > best || std::isnan(x) ? x : best; },
      [=](float best, float) { return bounds.clamp(best); });
}

CompiledNode compile_float(const Graph& graph, const Node& node, const op::AveragePool2D& o) {
  const Bounds bounds = bounds_of(o.activation);
  return compile_pool(
      lay_pool("average_pool2d", o.window, graph.value(node.inputs[0]).shape), 0.0f,
      [](float sum, float x) { return sum + x; },
      [=](float sum, float taps) { return bounds.clamp(sum / taps); });
}

}  // namespace qlimit
