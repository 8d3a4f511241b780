#include "optim/optimizer.h"

#include <set>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace qlimit {

Optimizer::Optimizer(const std::vector<Parameter>& parameters, std::vector<std::string> slot_names)
    : slot_names_(std::move(slot_names)) {
  std::set<std::string> names;
  std::set<const void*> seen;
  for (const Parameter& parameter : parameters) {
    if (!names.insert(parameter.name).second) {
      throw Error(ErrorKind::kUsage, {.what = "two parameters have the same name", .where = parameter.name});
    }
    if (!seen.insert(parameter.variable.id()).second) continue;
    parameters_.push_back(parameter);
    std::vector<Tensor<Real>>& slots = slots_.emplace_back();
    for (size_t i = 0; i < slot_names_.size(); ++i) slots.emplace_back(parameter.variable.shape());
  }
}

void Optimizer::check_gradients() const {
  for (const Parameter& parameter : parameters_) {
    if (!parameter.variable.has_grad()) {
      throw Error(ErrorKind::kUsage,
                  {.what = "a parameter has no gradient",
                   .where = parameter.name,
                   .hint = "does the loss depend on it? was backward called after zero_grad?"});
    }
  }
}

void Optimizer::step(double learning_rate) {
  check_option("learning_rate", learning_rate, 0, kUnbounded);
  check_gradients();
  ++steps_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Variable variable = parameters_[i].variable;
    Real* value = variable.mutable_value().data();
    const Real* grad = variable.grad().data();
    std::array<Real*, kMaxSlots> slots{};
    for (size_t k = 0; k < slots_[i].size(); ++k) slots[k] = slots_[i][k].data();
    parallel_for(variable.value().size(), kElementGrain, [&](int64_t begin, int64_t end) {
      Stretch stretch{value + begin, grad + begin, slots, end - begin, parameters_[i].decays};
      for (Real*& slot : stretch.slots) slot = slot ? slot + begin : nullptr;
      update(stretch, learning_rate);
    });
  }
}

void Optimizer::zero_grad() {
  for (Parameter& parameter : parameters_) parameter.variable.clear_grad();
}

void Optimizer::set_steps(int64_t steps) {
  if (steps < 0) {
    throw Error(ErrorKind::kUsage,
                {.what = "an optimizer's number of steps is negative", .found = concat(steps)});
  }
  steps_ = steps;
}

std::vector<Buffer> Optimizer::state() const {
  std::vector<Buffer> all;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    for (size_t k = 0; k < slot_names_.size(); ++k)
      all.push_back({parameters_[i].name + "." + slot_names_[k], slots_[i][k]});
  }
  return all;
}

void check_option(const char* name, double value, double low, double high) {
  if (value >= low && value < high) return;  // false for not-a-number
  throw Error(ErrorKind::kUsage, {.what = "an option is out of range",
                                  .where = name,
                                  .expected = concat("at least ", low, " and below ", high),
                                  .found = concat(value)});
}

}  // namespace qlimit
