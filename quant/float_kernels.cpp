#include "quant/float_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/parallel.h"
#include "quant/overloaded.h"
#include "quant/window_parts.h"

namespace qlimit {
namespace {

using Arguments = KernelArguments<float>;
using Compiled = CompiledNode<float>;

constexpr int64_t kBlockBytes = 64 * 1024;  // of patches: the second-level cache holds them and the weights

struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

Bounds bounds_of(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return {};
    case Activation::kRelu:
      return {.low = 0.0f};
    case Activation::kRelu6:
      return {.low = 0.0f, .high = 6.0f};
    case Activation::kReluN1To1:
      return {.low = -1.0f, .high = 1.0f};
  }
  return {};
}

/// The bias of a node with weights, or zeros.
std::vector<float> bias_of(const Graph& graph, const Node& node, int64_t channels) {
  if (node.inputs.size() < 3) return std::vector<float>(static_cast<size_t>(channels), 0.0f);
  const Tensor<float>& bias = graph.value(node.inputs[2]).constant;
  return {bias.begin(), bias.end()};
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
    const Epilogue epilogue = {.bias = bias.data(),
                               .clamps = std::isfinite(bounds.low) || std::isfinite(bounds.high),
                               .low = bounds.low,
                               .high = bounds.high};
    gemm(rows, {x, weights.k(), 1}, weights, out, weights.n(), false, epilogue);
  }
};

Compiled compile_conv(const Graph& graph, const Node& node, const op::Conv2D& o) {
  const WindowGeometry g = lay_window("conv2d", o.window, graph.value(node.inputs[0]).shape);
  const auto product = std::make_shared<const Product>(graph, node, o.activation);
  const int64_t out_channels = product->weights.n();
  const bool is_pointwise =
      o.window.kernel_h == 1 && o.window.kernel_w == 1 && o.window.stride_h == 1 && o.window.stride_w == 1;
  // The patch matrix is made in blocks of output rows that stay in the cache, and multiplied at once.
  const int64_t row_bytes = g.out_w * g.patch_size() * static_cast<int64_t>(sizeof(float));
  const int64_t block = std::clamp<int64_t>(kBlockBytes / row_bytes, 1, g.out_h);
  const WindowParts parts =
      cut_rows(g.out_h, g.out_w * g.patch_size() * out_channels, is_pointwise ? 0 : block * row_bytes);

  const auto run = [=](const Arguments& a) {
    const auto run_rows = [&](int64_t part, int64_t begin, int64_t end) {
      auto* patches = reinterpret_cast<float*>(a.scratch + part * parts.scratch_bytes);
      for (int64_t row = begin; row < end; row += block) {
        const int64_t last = std::min(row + block, end);
        if (!is_pointwise) im2col(g, a.x, row, last, patches);
        const float* rows = is_pointwise ? a.x + row * g.out_w * g.channels : patches;
        product->run((last - row) * g.out_w, rows, a.out + row * g.out_w * out_channels);
      }
    };
    parts.run(run_rows);
  };
  return {.run = run, .scratch_bytes = parts.scratch_bytes * parts.count};
}

Compiled compile_dense(const Graph& graph, const Node& node, const op::Dense& o) {
  const auto product = std::make_shared<const Product>(graph, node, o.activation);
  return {.run = [=](const Arguments& a) { product->run(1, a.x, a.out); }};
}

/// Calls tap(offset of the input pixel, index of the tap) for each place of the image that the window covers
/// at output place (oy,ox).
template <typename Tap>
void for_each_tap(const WindowGeometry& g, int64_t oy, int64_t ox, const Tap& tap) {
  const Window& w = g.window;
  for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
    const int64_t iy = oy * w.stride_h - g.pad_top + ky * w.dilation_h;
    if (iy < 0 || iy >= g.in_h) continue;
    for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
      const int64_t ix = ox * w.stride_w - g.pad_left + kx * w.dilation_w;
      if (ix < 0 || ix >= g.in_w) continue;
      tap((iy * g.in_w + ix) * g.channels, ky * w.kernel_w + kx);
    }
  }
}

Compiled compile_depthwise(const Graph& graph, const Node& node, const op::DepthwiseConv2D& o) {
  const WindowGeometry g = lay_window("depthwise_conv2d", o.window, graph.value(node.inputs[0]).shape);
  const Tensor<float> weight = graph.value(node.inputs[1]).constant;
  const int64_t out_channels = weight.dim(3);
  const int64_t multiplier = out_channels / g.channels;
  const std::vector<float> bias = bias_of(graph, node, out_channels);
  const Bounds bounds = bounds_of(o.activation);
  const WindowParts parts = cut_rows(g.out_h, g.out_w * weight.size(), 0);

  const auto run = [=](const Arguments& a) {
    const auto run_rows = [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t oy = begin; oy < end; ++oy) {
        for (int64_t ox = 0; ox < g.out_w; ++ox) {
          float* out = a.out + (oy * g.out_w + ox) * out_channels;
          std::copy(bias.begin(), bias.end(), out);
          for_each_tap(g, oy, ox, [&](int64_t pixel, int64_t tap) {
            const float* x = a.x + pixel;
            const float* w = weight.data() + tap * out_channels;
            if (multiplier == 1) {
              for (int64_t c = 0; c < out_channels; ++c) out[c] += x[c] * w[c];
            } else {
              for (int64_t c = 0; c < out_channels; ++c) out[c] += x[c / multiplier] * w[c];
            }
          });
          for (int64_t c = 0; c < out_channels; ++c) out[c] = std::clamp(out[c], bounds.low, bounds.high);
        }
      }
    };
    parts.run(run_rows);
  };
  return {.run = run};
}

/// A pool is a start value, what each pixel under the window does to it, and what its size does in the end.
template <typename Merge, typename Finish>
Compiled compile_pool(const WindowGeometry& g, float start, Merge merge, Finish finish) {
  const WindowParts parts = cut_rows(g.out_h, g.out_w * g.patch_size(), 0);
  const auto run = [=](const Arguments& a) {
    const auto run_rows = [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t oy = begin; oy < end; ++oy) {
        for (int64_t ox = 0; ox < g.out_w; ++ox) {
          float* out = a.out + (oy * g.out_w + ox) * g.channels;
          std::fill(out, out + g.channels, start);
          int64_t taps = 0;
          for_each_tap(g, oy, ox, [&](int64_t pixel, int64_t) {
            const float* x = a.x + pixel;
            for (int64_t c = 0; c < g.channels; ++c) out[c] = merge(out[c], x[c]);
            ++taps;
          });
          for (int64_t c = 0; c < g.channels; ++c) out[c] = finish(out[c], static_cast<float>(taps));
        }
      }
    };
    parts.run(run_rows);
  };
  return {.run = run};
}

Compiled compile_mean(const Shape& input) {
  const int64_t pixels = input[1] * input[2];
  const int64_t channels = input[3];
  return {.run = [=](const Arguments& a) {
    std::fill(a.out, a.out + channels, 0.0f);
    for (int64_t p = 0; p < pixels; ++p) {
      for (int64_t c = 0; c < channels; ++c) a.out[c] += a.x[p * channels + c];
    }
    for (int64_t c = 0; c < channels; ++c) a.out[c] /= static_cast<float>(pixels);
  }};
}

Compiled compile_batch_norm(const Graph& graph, const Node& node, const op::BatchNorm& o) {
  const auto constant = [&](size_t i) { return graph.value(node.inputs[i]).constant; };
  const Tensor<float> gamma = constant(1), beta = constant(2), mean = constant(3), variance = constant(4);
  std::vector<double> scale;
  for (int64_t c = 0; c < gamma.size(); ++c) scale.push_back(gamma[c] / std::sqrt(variance[c] + o.epsilon));
  const int64_t rows = graph.value(node.output).shape.size() / gamma.size();
  return {.run = [=](const Arguments& a) {
    for (int64_t i = 0, r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < gamma.size(); ++c, ++i) {
        a.out[i] = static_cast<float>(scale[static_cast<size_t>(c)] * (a.x[i] - double{mean[c]}) + beta[c]);
      }
    }
  }};
}

Compiled compile_add(int64_t size, Bounds bounds) {
  return {.run = [=](const Arguments& a) {
    for (int64_t i = 0; i < size; ++i) a.out[i] = std::clamp(a.x[i] + a.y[i], bounds.low, bounds.high);
  }};
}

template <typename Function>
Compiled compile_elementwise(int64_t size, Function function) {
  return {.run = [=](const Arguments& a) {
    for (int64_t i = 0; i < size; ++i) a.out[i] = function(a.x[i]);
  }};
}

Compiled compile_softmax(const Shape& shape) {
  const int64_t classes = shape[-1];
  return {.run = [=](const Arguments& a) {
    for (int64_t begin = 0; begin < shape.size(); begin += classes) {
      const float* x = a.x + begin;
      float* out = a.out + begin;
      const float largest = *std::max_element(x, x + classes);
      double sum = 0;
      for (int64_t k = 0; k < classes; ++k) sum += out[k] = std::exp(x[k] - largest);
      for (int64_t k = 0; k < classes; ++k) out[k] = static_cast<float>(out[k] / sum);
    }
  }};
}

}  // namespace

CompiledNode<float> compile_float(const Graph& graph, const Node& node) {
  const Shape& in = graph.value(node.inputs[0]).shape;
  const int64_t size = graph.value(node.output).shape.size();
  return std::visit(
      Overloaded{
          [&](const op::Conv2D& o) { return compile_conv(graph, node, o); },
          [&](const op::DepthwiseConv2D& o) { return compile_depthwise(graph, node, o); },
          [&](const op::Dense& o) { return compile_dense(graph, node, o); },
          [&](const op::BatchNorm& o) { return compile_batch_norm(graph, node, o); },
          [&](const op::MaxPool2D& o) {
            return compile_pool(
                lay_window("max_pool2d", o.window, in), -std::numeric_limits<float>::infinity(),
                [](float best, float x) { return x > best ? x : best; },
                [](float best, float) { return best; });
          },
          [&](const op::AveragePool2D& o) {
            return compile_pool(
                lay_window("average_pool2d", o.window, in), 0.0f, [](float sum, float x) { return sum + x; },
                [](float sum, float taps) { return sum / taps; });
          },
          [&](const op::GlobalAveragePool&) { return compile_mean(in); },
          [&](const op::Add& o) { return compile_add(size, bounds_of(o.activation)); },
          [&](const op::Clamp& o) {
            const Bounds bounds = bounds_of(o.activation);
            return compile_elementwise(size, [=](float x) { return std::clamp(x, bounds.low, bounds.high); });
          },
          [&](const op::Pointwise& o) {
            return compile_elementwise(size, [f = o.function](float x) { return static_cast<float>(f(x)); });
          },
          [&](const op::Softmax&) { return compile_softmax(in); },
          [&](const op::Reshape&) { return Compiled{}; },
      },
      node.op);
}

}  // namespace qlimit
