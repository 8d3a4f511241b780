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
  // What is the same for all elements is computed once, in double; both corrections move out of the loop.
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps()));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps()));
  const Real rate = static_cast<Real>(learning_rate / correction1);
  const Real root = static_cast<Real>(std::sqrt(correction2));
  const Real beta1 = static_cast<Real>(options_.beta1);
  const Real beta2 = static_cast<Real>(options_.beta2);
  const Real new1 = static_cast<Real>(1 - options_.beta1);
  const Real new2 = static_cast<Real>(1 - options_.beta2);
  const Real epsilon = static_cast<Real>(options_.epsilon);
  const Real l2 = static_cast<Real>(penalty);
  const Real kept = static_cast<Real>(shrink);
  Real* w = stretch.value;
  const Real* grad = stretch.grad;
  Real* m = stretch.slots[0];
  Real* v = stretch.slots[1];
  for (int64_t i = 0; i < stretch.size; ++i) {
    const Real g = grad[i] + l2 * w[i];
    m[i] = beta1 * m[i] + new1 * g;
    v[i] = beta2 * v[i] + new2 * g * g;
    w[i] = kept * w[i] - rate * m[i] / (std::sqrt(v[i]) / root + epsilon);
  }
}

}  // namespace qlimit
