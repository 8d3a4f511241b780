#include "layers/batch_norm2d.h"

#include <cmath>

#include "core/error.h"
#include "layers/map_and_pool.h"

namespace qlimit {
namespace {

using Doubles = std::vector<double>;

int64_t check(const Variable& x, std::initializer_list<const Variable*> per_channel) {
  if (x.shape().rank() != 4 || x.shape().size() == 0) {
    throw Error(ErrorKind::kUsage, {.what = "wrong input shape",
                                    .where = "batch_norm2d",
                                    .expected = "[N,H,W,C]",
                                    .found = x.shape().to_string()});
  }
  const int64_t channels = x.shape()[3];
  for (const Variable* v : per_channel) {
    if (v->shape() != Shape{channels}) {
      throw Error(ErrorKind::kUsage, {.what = "wrong shape of a per-channel value",
                                      .where = "batch_norm2d",
                                      .expected = concat("[", channels, "]"),
                                      .found = v->shape().to_string()});
    }
  }
  return channels;
}

Doubles to_doubles(const Tensor<Real>& values) { return {values.begin(), values.end()}; }

Tensor<Real> to_tensor(const Doubles& values) {
  return Tensor<Real>({static_cast<int64_t>(values.size())}, std::vector<Real>(values.begin(), values.end()));
}

Doubles inverse_deviation(const Doubles& variance, double epsilon) {
  Doubles result(variance.size());
  for (size_t c = 0; c < result.size(); ++c) {
    if (variance[c] + epsilon <= 0) {  // false for not-a-number, which is passed on
      throw Error(ErrorKind::kNumeric, {.what = "a variance is too small to divide by its root",
                                        .where = concat("batch_norm2d, channel ", c),
                                        .expected = "variance + epsilon > 0",
                                        .found = concat(variance[c], " + ", epsilon)});
    }
    result[c] = 1.0 / std::sqrt(variance[c] + epsilon);
  }
  return result;
}

void check_option(const char* name, double value, double most) {
  if (value >= 0 && value <= most) return;
  throw Error(ErrorKind::kUsage, {.what = concat(name, " of a batch norm out of range"),
                                  .expected = concat("0 to ", most),
                                  .found = concat(value)});
}

}  // namespace

std::string fused_name(const std::string& first, const BatchNormTail& tail) {
  std::string name = first;
  const auto add = [&](const char* next) { name += concat(name.empty() ? "" : " + ", next); };
  if (tail.low == 0) add(std::isfinite(tail.high) ? "relu6" : "relu");
  if (tail.pool) add("max_pool2d");
  return name;
}

NormalizationStep::NormalizationStep(const ChannelMoments& moments, int64_t rows, const Tensor<Real>& gamma,
                                     const Tensor<Real>& beta, double epsilon)
    : mean_(moments.mean),
      inverse_(inverse_deviation(moments.variance, epsilon)),
      rows_(rows),
      gamma_(gamma) {
  scale_.resize(mean_.size());
  shift_.resize(mean_.size());
  for (int64_t c = 0; c < gamma.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    scale_[i] = gamma[c] * inverse_[i];
    shift_[i] = beta[c] - mean_[i] * scale_[i];
  }
}

// With g the upstream gradient (0 where it is clamped) and z = (x - mean) * inverse the normalised input:
//   dgamma = sum g z,  dbeta = sum g
void NormalizationStep::add_parameter_gradients(const ChannelGradientSums& sums, const Variable& gamma,
                                                const Variable& beta) const {
  Doubles dgamma(inverse_.size());
  for (size_t c = 0; c < dgamma.size(); ++c) dgamma[c] = sums.upstream_centered[c] * inverse_[c];
  if (gamma.wants_grad()) gamma.add_grad(to_tensor(dgamma));
  if (beta.wants_grad()) beta.add_grad(to_tensor(sums.upstream));
}

// The statistics depend on x as well:  dx = gamma * inverse * (g - mean(g) - z * mean(g z)), which is an
// affine map of g and x per channel.
ChannelMapGradient NormalizationStep::input_gradient(const ChannelGradientSums& sums) const {
  Doubles upstream_scale(mean_.size()), x_scale(mean_.size()), shift(mean_.size());
  for (size_t i = 0; i < mean_.size(); ++i) {
    const double a = gamma_[static_cast<int64_t>(i)] * inverse_[i];
    const double b = -a * inverse_[i] * inverse_[i] * sums.upstream_centered[i] / static_cast<double>(rows_);
    upstream_scale[i] = a;
    x_scale[i] = b;
    shift[i] = -a * sums.upstream[i] / static_cast<double>(rows_) - b * mean_[i];
  }
  return {upstream_scale, x_scale, shift};
}

ChannelMapGradient NormalizationStep::input_gradient() const {
  const Doubles zeros(scale_.size());
  return {scale_, zeros, zeros};
}

BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options, const BatchNormTail& tail) {
  const int64_t channels = check(x, {&gamma, &beta});
  const int64_t rows = x.shape().size() / channels;
  const ChannelMoments moments = channel_moments(rows, channels, x.value().data());
  const NormalizationStep step(moments, rows, gamma.value(), beta.value(), options.epsilon);
  const MapAndPool tail_of_x(x.value(), step.map(tail.low, tail.high), tail.pool);
  Variable output =
      record(tail_of_x.output(), {.name = fused_name("batch_norm_training", tail), .options = options},
             {x, gamma, beta}, [=](const Tensor<Real>& upstream) {
               const ChannelGradientSums sums = tail_of_x.gradient_sums(moments.mean, upstream);
               step.add_parameter_gradients(sums, gamma, beta);
               if (!x.wants_grad()) return;
               Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
               tail_of_x.backward(0, x.shape()[0], upstream, step.input_gradient(sums), dx.data());
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

Variable BatchNorm2D::forward_training(const Variable& x, const BatchNormTail& tail) {
  const BatchNormResult result = batch_norm2d_training(x, gamma_, beta_, options_, tail);
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
