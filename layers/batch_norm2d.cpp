#include "layers/batch_norm2d.h"

#include <cmath>

#include "core/kernels/channel.h"

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

Tensor<Real> normalize(const Tensor<Real>& x, const Doubles& mean, const Doubles& inverse,
                       const Tensor<Real>& gamma, const Tensor<Real>& beta) {
  const int64_t channels = gamma.size();
  Doubles scale(mean.size()), shift(mean.size());
  for (int64_t c = 0; c < channels; ++c) {
    const size_t i = static_cast<size_t>(c);
    scale[i] = gamma[c] * inverse[i];
    shift[i] = beta[c] - mean[i] * scale[i];
  }
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  channel_affine(x.size() / channels, channels, x.data(), scale, shift, y.data());
  return y;
}

// With g the upstream gradient and z = (x - mean) * inverse the normalised input:
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
Tensor<Real> input_gradient(const Tensor<Real>& x, const Tensor<Real>& gamma, const Doubles& mean,
                            const Doubles& inverse, const ChannelGradientSums& sums,
                            const Tensor<Real>& upstream) {
  const int64_t channels = gamma.size();
  const int64_t rows = x.size() / channels;
  Doubles upstream_scale(mean.size()), x_scale(mean.size()), shift(mean.size());
  for (int64_t c = 0; c < channels; ++c) {
    const size_t i = static_cast<size_t>(c);
    const double a = gamma[c] * inverse[i];
    const double b = -a * inverse[i] * inverse[i] * sums.upstream_centered[i] / static_cast<double>(rows);
    upstream_scale[i] = a;
    x_scale[i] = b;
    shift[i] = -a * sums.upstream[i] / static_cast<double>(rows) - b * mean[i];
  }
  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
  channel_affine2(rows, channels, upstream.data(), upstream_scale, x.data(), x_scale, shift, dx.data());
  return dx;
}

}  // namespace

BatchNormResult batch_norm2d_training(const Variable& x, const Variable& gamma, const Variable& beta,
                                      const BatchNormOptions& options) {
  const int64_t channels = check(x, {&gamma, &beta});
  const int64_t rows = x.shape().size() / channels;
  const ChannelMoments moments = channel_moments(rows, channels, x.value().data());
  const Doubles mean = moments.mean;
  const Doubles inverse = inverse_deviation(moments.variance, options.epsilon);
  Tensor<Real> y = normalize(x.value(), mean, inverse, gamma.value(), beta.value());
  Variable output = record(
      std::move(y), {.name = "batch_norm_training", .options = options}, {x, gamma, beta},
      [=](const Tensor<Real>& upstream) {
        const auto sums = channel_gradient_sums(rows, channels, x.value().data(), mean, upstream.data());
        add_parameter_gradients(gamma, beta, sums, inverse);
        if (x.wants_grad())
          x.add_grad(input_gradient(x.value(), gamma.value(), mean, inverse, sums, upstream));
      });
  return {output, moments.mean, moments.variance};
}

Variable batch_norm2d(const Variable& x, const Variable& gamma, const Variable& beta, const Variable& mean,
                      const Variable& variance, const BatchNormOptions& options) {
  const int64_t channels = check(x, {&gamma, &beta, &mean, &variance});
  const int64_t rows = x.shape().size() / channels;
  const Doubles means = to_doubles(mean.value());
  const Doubles inverse = inverse_deviation(to_doubles(variance.value()), options.epsilon);
  Tensor<Real> y = normalize(x.value(), means, inverse, gamma.value(), beta.value());
  return record(std::move(y), {.name = "batch_norm", .options = options}, {x, gamma, beta, mean, variance},
                [=](const Tensor<Real>& upstream) {
                  const auto sums =
                      channel_gradient_sums(rows, channels, x.value().data(), means, upstream.data());
                  add_parameter_gradients(gamma, beta, sums, inverse);
                  if (!x.wants_grad()) return;
                  Doubles scale = inverse;
                  for (int64_t c = 0; c < channels; ++c) scale[static_cast<size_t>(c)] *= gamma.value()[c];
                  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
                  channel_affine(rows, channels, upstream.data(), scale, Doubles(scale.size()), dx.data());
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
  if (!training()) {
    // A copy: the tape must keep the statistics of this very moment.
    return batch_norm2d(x, gamma_, beta_, Variable::constant(running_mean_.clone()),
                        Variable::constant(running_variance_.clone()), options_);
  }
  BatchNormResult result = batch_norm2d_training(x, gamma_, beta_, options_);
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
