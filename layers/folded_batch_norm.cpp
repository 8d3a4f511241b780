#include "layers/folded_batch_norm.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/kernels/channel.h"
#include "layers/require.h"

namespace qlimit {
namespace {

using Doubles = std::vector<double>;

/// Means and variances in two rows.
Tensor<Real> two_rows(Doubles mean, const Doubles& variance) {
  const auto channels = static_cast<int64_t>(mean.size());
  mean.insert(mean.end(), variance.begin(), variance.end());
  return to_tensor({2, channels}, mean);
}

/// The numbers of one folding, and its derivatives.
class Folding {
 public:
  Folding(const FoldableNorm& norm, const Shape& weight, int axis)
      : norm_(norm), channels_(weight[axis]), inner_(1), size_(weight.size()) {
    for (int i = axis + 1; i < weight.rank(); ++i) inner_ *= weight[i];
    for (int64_t c = 0; c < channels_; ++c) {
      const double spread = static_cast<double>(norm.moments.value()[channels_ + c]) + norm.epsilon;
      if (!(spread > 0)) {
        throw Error(ErrorKind::kNumeric,
                    {.what = "batch norm divides by the root of a number that is not positive",
                     .where = "fold_into_weights",
                     .expected = "variance + epsilon > 0",
                     .found = concat(spread, " in channel ", c),
                     .hint = "the training diverged; lower the learning rate"});
      }
      inverse_.push_back(1 / std::sqrt(spread));
      factor_.push_back(norm.gamma.value()[c] * inverse_.back());
    }
  }

  Tensor<Real> weight(const Tensor<Real>& w) const {
    Tensor<Real> folded = Tensor<Real>::uninitialized(w.shape());
    for_each([&](size_t c, int64_t i) { folded[i] = static_cast<Real>(factor_[c] * w[i]); });
    return folded;
  }

  Tensor<Real> bias() const {
    Tensor<Real> folded = Tensor<Real>::uninitialized({channels_});
    for (int64_t c = 0; c < channels_; ++c) {
      folded[c] = static_cast<Real>(norm_.beta.value()[c] - factor_[static_cast<size_t>(c)] * mean(c));
    }
    return folded;
  }

  void add_gradients_of_weight(const Variable& w, const Tensor<Real>& upstream) const {
    if (w.wants_grad()) w.add_grad(weight(upstream));
    Doubles sums(factor_.size());  // dL/dg
    for_each([&](size_t c, int64_t i) { sums[c] += static_cast<double>(upstream[i]) * w.value()[i]; });
    add_gradients_of_factor(sums, Doubles(sums.size()));
  }

  void add_gradients_of_bias(const Tensor<Real>& upstream) const {
    if (norm_.beta.wants_grad()) norm_.beta.add_grad(upstream);
    Doubles of_factor(factor_.size()), of_mean(factor_.size());
    for (size_t c = 0; c < factor_.size(); ++c) {
      const double up = upstream[static_cast<int64_t>(c)];
      of_factor[c] = -up * mean(static_cast<int64_t>(c));
      of_mean[c] = -up * factor_[c];
    }
    add_gradients_of_factor(of_factor, of_mean);
  }

 private:
  double mean(int64_t c) const { return norm_.moments.value()[c]; }

  /// Calls body(channel, element) for every element of the weight.
  template <typename Body>
  void for_each(const Body& body) const {
    for (int64_t i = 0; i < size_;) {
      for (size_t c = 0; c < factor_.size(); ++c) {
        for (const int64_t end = i + inner_; i < end; ++i) body(c, i);
      }
    }
  }

  /// dg/dgamma = 1 / sqrt(variance + epsilon),  dg/dvariance = -gamma / (2 * sqrt(variance + epsilon)^3)
  void add_gradients_of_factor(const Doubles& of_factor, const Doubles& of_mean) const {
    Doubles of_gamma, of_variance;
    for (size_t c = 0; c < factor_.size(); ++c) {
      of_gamma.push_back(of_factor[c] * inverse_[c]);
      of_variance.push_back(-0.5 * of_factor[c] * factor_[c] * inverse_[c] * inverse_[c]);
    }
    if (norm_.gamma.wants_grad()) norm_.gamma.add_grad(to_tensor({channels_}, of_gamma));
    if (norm_.moments.wants_grad()) norm_.moments.add_grad(two_rows(of_mean, of_variance));
  }

  FoldableNorm norm_;
  int64_t channels_, inner_, size_;
  Doubles inverse_, factor_;
};

}  // namespace

Variable batch_moments(const Variable& x) {
  require_shape(x.shape().rank() >= 2 && x.shape().size() > 0, "batch_moments", "[N,...,C]", x.shape());
  const int64_t channels = x.shape()[-1], rows = x.shape().size() / channels;
  const ChannelMoments moments = channel_moments(rows, channels, x.value().data());
  return record(two_rows(moments.mean, moments.variance), {.name = "batch_moments"}, {x},
                [=, mean = moments.mean](const Tensor<Real>& upstream) {
                  Doubles scale, shift;
                  for (int64_t c = 0; c < channels; ++c) {
                    scale.push_back(2.0 * upstream[channels + c] / static_cast<double>(rows));
                    shift.push_back(upstream[c] / static_cast<double>(rows) -
                                    scale.back() * mean[static_cast<size_t>(c)]);
                  }
                  Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
                  channel_map(rows, x.value().data(), ChannelMap(scale, shift), dx.data());
                  x.add_grad(dx);
                });
}

Variable given_moments(const Tensor<Real>& mean, const Tensor<Real>& variance) {
  return Variable::constant(
      two_rows(Doubles(mean.begin(), mean.end()), Doubles(variance.begin(), variance.end())));
}

FoldedWeights fold_into_weights(const Variable& weight, int axis, const FoldableNorm& norm) {
  const Shape& shape = weight.shape();
  require_shape(axis >= 0 && axis < shape.rank() && shape.size() > 0, "fold_into_weights",
                concat("a weight with an axis ", axis), shape);
  for (const Variable& value : {norm.gamma, norm.beta}) {
    require_shape(value.shape() == Shape{shape[axis]}, "fold_into_weights", concat("[", shape[axis], "]"),
                  value.shape());
  }
  require_shape(norm.moments.shape() == Shape{2, shape[axis]}, "fold_into_weights",
                concat("[2,", shape[axis], "]"), norm.moments.shape());
  const Folding folding(norm, shape, axis);
  FoldedWeights folded;
  folded.weight =
      record(folding.weight(weight.value()), {.name = "folded_weight"}, {weight, norm.gamma, norm.moments},
             [=](const Tensor<Real>& upstream) { folding.add_gradients_of_weight(weight, upstream); });
  folded.bias = record(folding.bias(), {.name = "folded_bias"}, {norm.gamma, norm.beta, norm.moments},
                       [=](const Tensor<Real>& upstream) { folding.add_gradients_of_bias(upstream); });
  return folded;
}

}  // namespace qlimit
