#include "layers/batch_norm2d.h"

#include <cmath>

#include "core/kernels/channel.h"
#include "core/kernels/pool.h"

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
  for (size_t c = 0; c < result.size(); ++c) result[c] = 1.0 / std::sqrt(variance[c] + epsilon);
  return result;
}

ChannelMap normalization(const Doubles& mean, const Doubles& inverse, const Tensor<Real>& gamma,
                         const Tensor<Real>& beta, const BatchNormTail& tail) {
  ChannelMap map{Doubles(mean.size()), Doubles(mean.size()), tail.low, tail.high};
  for (int64_t c = 0; c < gamma.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    map.scale[i] = gamma[c] * inverse[i];
    map.shift[i] = beta[c] - mean[i] * map.scale[i];
  }
  return map;
}

Tensor<Real> normalize(const Tensor<Real>& x, const ChannelMap& map) {
  const auto channels = static_cast<int64_t>(map.scale.size());
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  channel_map(x.size() / channels, channels, x.data(), map, y.data());
  return y;
}

// With g the upstream gradient (0 where the tail clamps) and z = (x - mean) * inverse the normalised input:
//   dgamma = sum g z,  dbeta = sum g
void add_parameter_gradients(const Variable& gamma, const Variable& beta, const ChannelGradientSums& sums,
                             const Doubles& inverse) {
  Doubles dgamma(inverse.size());
  for (size_t c = 0; c < dgamma.size(); ++c) dgamma[c] = sums.upstream_centered[c] * inverse[c];
  if (gamma.wants_grad()) gamma.add_grad(to_tensor(dgamma));
  if (beta.wants_grad()) beta.add_grad(to_tensor(sums.upstream));
}

// In training the statistics depend on x as well:  dx = gamma * inverse * (g - mean(g) - z * mean(g z)),
// which is an affine map of g and x per channel.
ChannelMapGradient input_gradient(int64_t rows, const Tensor<Real>& gamma, const Doubles& mean,
                                  const Doubles& inverse, const ChannelGradientSums& sums) {
  ChannelMapGradient gradient{Doubles(mean.size()), Doubles(mean.size()), Doubles(mean.size())};
  for (int64_t c = 0; c < gamma.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    const double a = gamma[c] * inverse[i];
    const double b = -a * inverse[i] * inverse[i] * sums.upstream_centered[i] / static_cast<double>(rows);
    gradient.upstream_scale[i] = a;
    gradient.x_scale[i] = b;
    gradient.shift[i] = -a * sums.upstream[i] / static_cast<double>(rows) - b * mean[i];
  }
  return gradient;
}

}  // namespace

BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options, const BatchNormTail& tail) {
  const int64_t channels = check(x, {&gamma, &beta});
  const int64_t rows = x.shape().size() / channels;
  const ChannelMoments moments = channel_moments(rows, channels, x.value().data());
  const Doubles mean = moments.mean;
  const Doubles inverse = inverse_deviation(moments.variance, options.epsilon);
  const ChannelMap map = normalization(mean, inverse, gamma.value(), beta.value(), tail);
  const Operation operation{.name = "batch_norm_training", .options = options};

  if (!tail.pool) {
    Variable output =
        record(normalize(x.value(), map), operation, {x, gamma, beta}, [=](const Tensor<Real>& upstream) {
          const auto sums =
              channel_gradient_sums(rows, channels, x.value().data(), mean, map, upstream.data());
          add_parameter_gradients(gamma, beta, sums, inverse);
          if (!x.wants_grad()) return;
          Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
          channel_map_backward(rows, channels, x.value().data(), map, upstream.data(),
                               input_gradient(rows, gamma.value(), mean, inverse, sums), dx.data());
          x.add_grad(dx);
        });
    return {output, moments.mean, moments.variance};
  }

  const WindowGeometry g = *tail.pool;
  const Shape pooled{g.batch, g.out_h, g.out_w, channels};
  Tensor<Real> y = Tensor<Real>::uninitialized(pooled);
  Tensor<Real> peaks = Tensor<Real>::uninitialized(pooled);
  Tensor<Real> taps = Tensor<Real>::uninitialized(pooled);
  map_and_pool(g, x.value().data(), map, y.data(), peaks.data(), taps.data());
  Variable output = record(std::move(y), operation, {x, gamma, beta}, [=](const Tensor<Real>& upstream) {
    const auto sums =
        channel_gradient_sums(peaks.size() / channels, channels, peaks.data(), mean, map, upstream.data());
    add_parameter_gradients(gamma, beta, sums, inverse);
    if (!x.wants_grad()) return;
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    map_and_pool_backward(g, x.value().data(), map, upstream.data(), taps.data(),
                          input_gradient(rows, gamma.value(), mean, inverse, sums), dx.data());
    x.add_grad(dx);
  });
  return {output, moments.mean, moments.variance};
}

Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options) {
  const int64_t channels = check(x, {&gamma, &beta, &mean, &variance});
  const int64_t rows = x.shape().size() / channels;
  const Doubles means = to_doubles(mean.value());
  const Doubles inverse = inverse_deviation(to_doubles(variance.value()), options.epsilon);
  const ChannelMap map = normalization(means, inverse, gamma.value(), beta.value(), {});
  return record(
      normalize(x.value(), map), {.name = "batch_norm", .options = options}, {x, gamma, beta, mean, variance},
      [=](const Tensor<Real>& upstream) {
        const Real* at = x.value().data();
        add_parameter_gradients(
            gamma, beta, channel_gradient_sums(rows, channels, at, means, map, upstream.data()), inverse);
        if (!x.wants_grad()) return;
        const Doubles zeros(map.scale.size());
        Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
        channel_map_backward(rows, channels, at, map, upstream.data(), {map.scale, zeros, zeros}, dx.data());
        x.add_grad(dx);
      });
}

BatchNorm2D::BatchNorm2D(int64_t channels, const BatchNormOptions& options) : options_(options) {
  gamma_ = add_parameter("gamma", Tensor<Real>::full({channels}, 1), false);
  beta_ = add_parameter("beta", Tensor<Real>({channels}), false);
  running_mean_ = add_buffer("running_mean", Tensor<Real>({channels}));
  running_variance_ = add_buffer("running_variance", Tensor<Real>::full({channels}, 1));
}

Variable BatchNorm2D::forward(const Variable& x) {
  if (training()) return forward_training(x, {});
  // A copy: the tape must keep the statistics of this very moment.
  return batch_norm2d(x, gamma_, beta_, Variable::constant(running_mean_.clone()),
                      Variable::constant(running_variance_.clone()), options_);
}

Variable BatchNorm2D::forward_training(const Variable& x, const BatchNormTail& tail) {
  BatchNormResult result = batch_norm2d_training(x, gamma_, beta_, options_, tail);
  const double rows = static_cast<double>(x.shape().size() / gamma_.shape()[0]);
  const double unbiased = rows > 1 ? rows / (rows - 1) : 1.0;
  const double m = options_.momentum;
  for (int64_t c = 0; c < running_mean_.size(); ++c) {
    const size_t i = static_cast<size_t>(c);
    running_mean_[c] = static_cast<Real>((1 - m) * running_mean_[c] + m * result.mean[i]);
    running_variance_[c] =
        static_cast<Real>((1 - m) * running_variance_[c] + m * unbiased * result.variance[i]);
  }
  return result.output;
}

}  // namespace qlimit
