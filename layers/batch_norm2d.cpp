#include "layers/batch_norm2d.h"

#include <limits>

#include "core/error.h"
#include "layers/normalization_step.h"
#include "layers/require.h"

namespace qlimit {
namespace {

int64_t check(const Variable& x, std::initializer_list<const Variable*> per_channel) {
  require_shape(x.shape().rank() == 4 && x.shape().size() > 0, "batch_norm2d", "[N,H,W,C]", x.shape());
  const int64_t channels = x.shape()[3];
  for (const Variable* v : per_channel) {
    require_shape(v->shape() == Shape{channels}, "batch_norm2d",
                  concat("a value a channel, [", channels, "]"), v->shape());
  }
  return channels;
}

std::vector<double> to_doubles(const Tensor<Real>& values) { return {values.begin(), values.end()}; }

void check_option(const char* name, double value, double most) {
  if (value >= 0 && value <= most) return;
  throw Error(ErrorKind::kUsage, {.what = concat(name, " of a batch norm out of range"),
                                  .expected = concat("0 to ", most),
                                  .found = concat(value)});
}

}  // namespace

BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options, const ClampAndPool& rest) {
  const int64_t channels = check(x, {&gamma, &beta});
  const int64_t rows = x.shape().size() / channels;
  const ChannelMoments moments = channel_moments(rows, channels, x.value().data());
  const NormalizationStep step(moments, rows, gamma.value(), beta.value(), options.epsilon);
  const MapAndPool y(x.value(), step.map(rest.low, rest.high), rest.pool);
  Variable output = record(y.output(), {.name = fused_name("batch_norm_training", rest), .options = options},
                           {x, gamma, beta}, [=](const Tensor<Real>& upstream) {
                             const ChannelGradientSums sums = y.gradient_sums(moments.mean, upstream);
                             step.add_parameter_gradients(sums, gamma, beta);
                             if (!x.wants_grad()) return;
                             Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
                             y.backward(0, x.shape()[0], upstream, step.input_gradient(sums), dx.data());
                             x.add_grad(dx);
                           });
  return {output, moments.mean, moments.variance};
}

Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options) {
  const int64_t channels = check(x, {&gamma, &beta, &mean, &variance});
  const int64_t rows = x.shape().size() / channels;
  const ChannelMoments given{to_doubles(mean.value()), to_doubles(variance.value())};
  const NormalizationStep step(given, rows, gamma.value(), beta.value(), options.epsilon);
  const ChannelMap map = step.map();
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  channel_map(rows, x.value().data(), map, y.data());
  return record(std::move(y), {.name = "batch_norm", .options = options}, {x, gamma, beta, mean, variance},
                [=](const Tensor<Real>& upstream) {
                  const Real* from = x.value().data();
                  step.add_parameter_gradients(
                      channel_gradient_sums(rows, from, given.mean, map, upstream.data()), gamma, beta);
                  if (!x.wants_grad()) return;
                  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
                  channel_map_backward(rows, from, map, upstream.data(), step.input_gradient(), dx.data());
                  x.add_grad(dx);
                });
}

BatchNorm2D::BatchNorm2D(int64_t channels, const BatchNormOptions& options) : options_(options) {
  check_option("epsilon", options.epsilon, std::numeric_limits<double>::max());
  set_momentum(options.momentum);
  gamma_ = add_parameter("gamma", Tensor<Real>::full({channels}, 1), false);
  beta_ = add_parameter("beta", Tensor<Real>({channels}), false);
  running_mean_ = add_buffer("running_mean", Tensor<Real>({channels}));
  running_variance_ = add_buffer("running_variance", Tensor<Real>::full({channels}, 1));
}

void BatchNorm2D::set_momentum(double momentum) {
  check_option("momentum", momentum, 1);
  options_.momentum = momentum;
}

Variable BatchNorm2D::forward(const Variable& x) {
  if (training()) return forward_training(x, {});
  // A copy: the tape must keep the statistics of this very moment.
  return batch_norm2d(x, gamma_, beta_, Variable::constant(running_mean_.clone()),
                      Variable::constant(running_variance_.clone()), options_);
}

Variable BatchNorm2D::forward_training(const Variable& x, const ClampAndPool& rest) {
  const BatchNormResult result = batch_norm2d_training(x, gamma_, beta_, options_, rest);
  follow({result.mean, result.variance}, x.shape().size() / gamma_.shape()[0]);
  return result.output;
}

void BatchNorm2D::follow(const ChannelMoments& batch, int64_t rows) {
  const double unbiased = rows > 1 ? static_cast<double>(rows) / static_cast<double>(rows - 1) : 1.0;
  const double m = options_.momentum;
  // With a momentum of 1 nothing is kept, of what is not a number either.
  const auto kept = [m](Real running) { return m == 1 ? 0.0 : (1 - m) * running; };
  for (int64_t c = 0; c < running_mean_.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    running_mean_[c] = static_cast<Real>(kept(running_mean_[c]) + m * batch.mean[i]);
    running_variance_[c] = static_cast<Real>(kept(running_variance_[c]) + m * unbiased * batch.variance[i]);
  }
}

}  // namespace qlimit
