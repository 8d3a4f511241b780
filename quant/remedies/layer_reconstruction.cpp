#include "quant/remedies/layer_reconstruction.h"

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "quant/activation.h"
#include "quant/float_executor.h"
#include "quant/remedies/layer_constants.h"
#include "quant/remedies/layer_input.h"

namespace qlimit {
namespace {

/// The first of several tensors of one shape that lie behind each other.
Tensor<float> first_runs(const Tensor<float>& all, int64_t total, int64_t runs) {
  const Shape shape = with_batch(all.shape(), all.dim(0) / total * runs);
  return Tensor<float>(shape, std::vector<float>(all.begin(), all.begin() + shape.size()));
}

/// Those of them that are asked for.
Tensor<float> chosen_runs(const Tensor<float>& all, int64_t total, const std::vector<int64_t>& runs) {
  const int64_t size = all.size() / total, rows = all.dim(0) / total;
  auto chosen =
      Tensor<float>::uninitialized(with_batch(all.shape(), rows * static_cast<int64_t>(runs.size())));
  float* to = chosen.data();
  for (const int64_t run : runs) to = std::copy_n(all.data() + run * size, size, to);
  return chosen;
}

Tensor<float> real_weight(const QuantizedFilter& filter, int axis) {
  const std::vector<double> weight = dequantized_weight(filter, axis);
  return Tensor<float>(filter.weight.shape(), std::vector<float>(weight.begin(), weight.end()));
}

Tensor<float> real_bias(const QuantizedFilter& filter, float input_scale) {
  auto bias = Tensor<float>::uninitialized({static_cast<int64_t>(filter.bias.size())});
  for (size_t c = 0; c < filter.bias.size(); ++c) {
    const double step = double{input_scale} * filter.scale(static_cast<int64_t>(c));
    bias[static_cast<int64_t>(c)] = static_cast<float>(step * filter.bias[c]);
  }
  return bias;
}

/// Where element `i` of grouped filters [O,KH,KW,C/G] stands among filters over all C channels.
int64_t ungrouped_place(const Shape& grouped, int64_t channels, int64_t i) {
  const int64_t group_channels = grouped[3], filters_in_group = grouped[0] / (channels / group_channels);
  const int64_t filter = i / (grouped.size() / grouped[0]);
  return i / group_channels * channels + filter / filters_in_group * group_channels + i % group_channels;
}

/// The same convolution without groups: [O,KH,KW,C/G] -> [O,KH,KW,C], zeros where a filter does not look.
Variable ungrouped(const Variable& weight, int64_t channels) {
  const Shape grouped = weight.shape();
  if (grouped[3] == channels) return weight;
  Tensor<Real> all({grouped[0], grouped[1], grouped[2], channels});
  for (int64_t i = 0; i < grouped.size(); ++i) all[ungrouped_place(grouped, channels, i)] = weight.value()[i];
  return record(std::move(all), {.name = "ungrouped"}, {weight}, [=](const Tensor<Real>& upstream) {
    auto grad = Tensor<Real>::uninitialized(grouped);
    for (int64_t i = 0; i < grad.size(); ++i) grad[i] = upstream[ungrouped_place(grouped, channels, i)];
    weight.add_grad(grad);
  });
}

/// Eight sums side by side, which do not wait for each other.
double sum_of_squares(const Real* x, int64_t count) {
  constexpr int64_t kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums)
    for (int64_t k = 0; k < kSums; ++k) sums[k] += double{x[i + k]} * x[i + k];
  for (; i < count; ++i) sums[0] += double{x[i]} * x[i];
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

}  // namespace

Variable squared_error(const Variable& y, Activation activation, const Tensor<Real>& target, double factor) {
  const Bounds bounds = bounds_of(activation);
  const Real *from = y.value().data(), *exact = target.data();
  auto slope = Tensor<Real>::uninitialized(y.shape());  // activation(y) - target, where y may move
  Real* to = slope.data();
  std::vector<double> sums(static_cast<size_t>(chunk_count(target.size(), kElementGrain)));
  parallel_chunks(target.size(), kElementGrain, [&](int64_t chunk, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = bounds.clamp(from[i]) - exact[i];
    sums[static_cast<size_t>(chunk)] = sum_of_squares(to + begin, end - begin);
    for (int64_t i = begin; i < end; ++i) {
      const bool moves = (from[i] > bounds.low) & (from[i] < bounds.high);
      to[i] = moves ? to[i] : 0;
    }
  });
  const double share = factor / static_cast<double>(target.size());
  const double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  return record(Tensor<Real>::full({}, static_cast<Real>(share * total)), {.name = "squared_error"}, {y},
                [y, slope, share](const Tensor<Real>& upstream) {
                  auto grad = Tensor<Real>::uninitialized(slope.shape());
                  const Real scale = static_cast<Real>(2 * share) * upstream[0];
                  const Real* down = slope.data();
                  Real* up = grad.data();
                  parallel_for(grad.size(), kElementGrain, [=](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) up[i] = scale * down[i];
                  });
                  y.add_grad(grad);
                });
}

LayerReconstruction::LayerReconstruction(const QuantizedGraph& q, size_t i, const Graph& reference,
                                         const Tensor<float>& images)
    : graph_(reference), node_(i), filter_(q.filters[i]) {
  const ValueId input = node().inputs[0];
  bias_ = Variable::constant(real_bias(filter_, q.params_of(input).scale));
  const int64_t total = run_count(reference, images.shape());
  const int64_t elements = reference.value(input).shape.size() + reference.value(node().output).shape.size();
  runs_ = std::clamp<int64_t>(kMostBytes / (elements * static_cast<int64_t>(sizeof(float))), 1, total);
  const Tensor<float> part = first_runs(images, total, runs_);
  inputs_ = integer_input(q, i, part);
  targets_ = FloatExecutor(prefix(reference, i)).run(part);
}

Variable LayerReconstruction::output(const Tensor<float>& x, const Variable& weight) const {
  const Variable input = Variable::constant(x);
  if (const auto* conv = std::get_if<op::Conv2D>(&node().op))
    return conv2d(input, ungrouped(weight, x.dim(3)), bias_, conv->window);
  if (const auto* depthwise = std::get_if<op::DepthwiseConv2D>(&node().op))
    return depthwise_conv2d(input, weight, bias_, depthwise->window);
  const int64_t features = weight.shape()[1];
  return dense(Variable::constant(x.reshape({x.size() / features, features})), weight, bias_);
}

Variable LayerReconstruction::error(const Variable& weight, const std::vector<int64_t>& runs,
                                    double factor) const {
  const Variable y = output(chosen_runs(inputs_, runs_, runs), weight);
  const Tensor<float> target = chosen_runs(targets_, runs_, runs).reshape(y.shape());
  return squared_error(y, *fused_activation(node().op), target, factor);
}

double LayerReconstruction::error(const Tensor<int8_t>& weight) const {
  constexpr int64_t kBatch = 32;
  const TapeOff off;
  QuantizedFilter filter = filter_;
  filter.weight = weight;
  const Variable real = Variable::constant(real_weight(filter, channel_axis(node().op)));
  double sum = 0;
  for (int64_t begin = 0; begin < runs_; begin += kBatch) {
    std::vector<int64_t> batch(static_cast<size_t>(std::min(kBatch, runs_ - begin)));
    std::iota(batch.begin(), batch.end(), begin);
    const auto size = static_cast<double>(batch.size());
    sum += size * static_cast<double>(error(real, batch, 1).value()[0]);
  }
  return sum / static_cast<double>(runs_);
}

}  // namespace qlimit
