#include "optim/sgd.h"

#include "core/error.h"

namespace qlimit {
namespace {

std::vector<std::string> slots_for(const SgdOptions& options) {
  if (options.momentum == 0) return {};
  return {"momentum"};
}

}  // namespace

Sgd::Sgd(const std::vector<Parameter>& parameters, SgdOptions options)
    : Optimizer(parameters, slots_for(options)), options_(options) {
  check_option("momentum", options.momentum, 0, 1);
  check_option("weight_decay", options.weight_decay, 0, kUnbounded);
  if (options.nesterov && options.momentum == 0) {
    throw Error(ErrorKind::kUsage, {.what = "Nesterov's method needs a momentum above 0"});
  }
}

void Sgd::update(const Stretch& stretch, double learning_rate) const {
  const Real rate = static_cast<Real>(learning_rate);
  const Real momentum = static_cast<Real>(options_.momentum);
  const Real decay = static_cast<Real>(stretch.decays ? options_.weight_decay : 0);
  Real* w = stretch.value;
  const Real* grad = stretch.grad;
  Real* v = stretch.slots[0];
  if (!v) {
    for (int64_t i = 0; i < stretch.size; ++i) w[i] -= rate * (grad[i] + decay * w[i]);
  } else if (options_.nesterov) {
    for (int64_t i = 0; i < stretch.size; ++i) {
      const Real g = grad[i] + decay * w[i];
      v[i] = momentum * v[i] + g;
      w[i] -= rate * (g + momentum * v[i]);
    }
  } else {
    for (int64_t i = 0; i < stretch.size; ++i) {
      v[i] = momentum * v[i] + (grad[i] + decay * w[i]);
      w[i] -= rate * v[i];
    }
  }
}

}  // namespace qlimit
