#include "quant/remedies/layer_mean.h"

namespace qlimit {
namespace {

/// The mean over all pixels of what lies under each tap of a window, [KH*KW*C]; zeros outside the image.
std::vector<double> mean_patch(const WindowGeometry& g, const std::vector<double>& input) {
  std::vector<double> patch(static_cast<size_t>(g.patch_size()), 0.0);
  const int64_t image_size = g.in_h * g.in_w * g.channels;
  for (int64_t n = 0; n < g.batch; ++n) {
    for_each_tap(g, [&](int64_t, int64_t tap, int64_t in_pixel) {
      const double* from = input.data() + n * image_size + in_pixel * g.channels;
      double* to = patch.data() + tap * g.channels;
      for (int64_t c = 0; c < g.channels; ++c) to[c] += from[c];
    });
  }
  for (double& x : patch) x /= static_cast<double>(g.batch * g.out_pixels());
  return patch;
}

std::vector<double> mean_row(int64_t features, const std::vector<double>& input) {
  const size_t size = static_cast<size_t>(features), rows = input.size() / size;
  std::vector<double> row(size, 0.0);
  for (size_t i = 0; i < input.size(); ++i) row[i % size] += input[i] / static_cast<double>(rows);
  return row;
}

std::vector<double> conv_mean(const WindowGeometry& g, const Shape& shape, const std::vector<double>& weight,
                              const std::vector<double>& input) {
  const std::vector<double> patch = mean_patch(g, input);
  const int64_t group_channels = shape[3], filter_size = shape.size() / shape[0];
  const int64_t filters_in_group = shape[0] / (g.channels / group_channels);
  std::vector<double> mean(static_cast<size_t>(shape[0]), 0.0);
  for (int64_t i = 0; i < shape.size(); ++i) {
    const int64_t filter = i / filter_size, tap = i % filter_size / group_channels;
    const int64_t channel = filter / filters_in_group * group_channels + i % group_channels;
    mean[static_cast<size_t>(filter)] +=
        weight[static_cast<size_t>(i)] * patch[static_cast<size_t>(tap * g.channels + channel)];
  }
  return mean;
}

std::vector<double> depthwise_mean(const WindowGeometry& g, const Shape& shape,
                                   const std::vector<double>& weight, const std::vector<double>& input) {
  const std::vector<double> patch = mean_patch(g, input);
  const int64_t outputs = shape[3], multiplier = outputs / g.channels;
  std::vector<double> mean(static_cast<size_t>(outputs), 0.0);
  for (int64_t i = 0; i < shape.size(); ++i) {
    const int64_t tap = i / outputs, output = i % outputs;
    mean[static_cast<size_t>(output)] +=
        weight[static_cast<size_t>(i)] * patch[static_cast<size_t>(tap * g.channels + output / multiplier)];
  }
  return mean;
}

std::vector<double> dense_mean(const Shape& shape, const std::vector<double>& weight,
                               const std::vector<double>& input) {
  const std::vector<double> row = mean_row(shape[1], input);
  std::vector<double> mean(static_cast<size_t>(shape[0]), 0.0);
  for (size_t i = 0; i < weight.size(); ++i) mean[i / row.size()] += weight[i] * row[i % row.size()];
  return mean;
}

}  // namespace

std::vector<double> mean_output(const Graph& graph, const Node& node, const std::vector<double>& weight,
                                const std::vector<double>& input) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  const Shape& w = graph.value(node.inputs[1]).shape;
  if (const auto* conv = std::get_if<op::Conv2D>(&node.op)) {
    return conv_mean(lay_window("conv2d", conv->window, x), w, weight, input);
  }
  if (const auto* depthwise = std::get_if<op::DepthwiseConv2D>(&node.op)) {
    return depthwise_mean(lay_window("depthwise_conv2d", depthwise->window, x), w, weight, input);
  }
  return dense_mean(w, weight, input);
}

}  // namespace qlimit
