#include "optim/adam.h"

#include <cmath>
#include <limits>

namespace qlimit {

Adam::Adam(const std::vector<Parameter>& parameters, AdamOptions options)
    : Optimizer(parameters, {"first_moment", "second_moment"}), options_(options) {
  check_option("beta1", options.beta1, 0, 1);
  check_option("beta2", options.beta2, 0, 1);
  check_option("epsilon", options.epsilon, std::numeric_limits<float>::min(), kUnbounded);
  check_option("weight_decay", options.weight_decay, 0, kUnbounded);
}

void Adam::update(const Stretch& stretch, double learning_rate) const {
  update(stretch, learning_rate, stretch.decays ? options_.weight_decay : 0, 1);
}

void Adam::update(const Stretch& stretch, double learning_rate, double penalty, double shrink) const {
  // The bias corrections leave the loop, in double:
  //   learning_rate * m' / (sqrt(v') + epsilon) = step_size * m / (sqrt(v) / sqrt_correction2 + epsilon)
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps()));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps()));
  const Real step_size = static_cast<Real>(learning_rate / correction1);
  const Real sqrt_correction2 = static_cast<Real>(std::sqrt(correction2));
  const Real beta1 = static_cast<Real>(options_.beta1);
  const Real beta2 = static_cast<Real>(options_.beta2);
  const Real one_minus_beta1 = static_cast<Real>(1 - options_.beta1);
  const Real one_minus_beta2 = static_cast<Real>(1 - options_.beta2);
  const Real epsilon = static_cast<Real>(options_.epsilon);
  const Real l2 = static_cast<Real>(penalty);
  const Real kept = static_cast<Real>(shrink);
  Real* w = stretch.value;
  const Real* grad = stretch.grad;
  Real* m = stretch.slots[0];
  Real* v = stretch.slots[1];
  for (int64_t i = 0; i < stretch.size; ++i) {
    const Real g = grad[i] + l2 * w[i];
    m[i] = beta1 * m[i] + one_minus_beta1 * g;
    v[i] = beta2 * v[i] + one_minus_beta2 * g * g;
    w[i] = kept * w[i] - step_size * m[i] / (std::sqrt(v[i]) / sqrt_correction2 + epsilon);
  }
}

}  // namespace qlimit
