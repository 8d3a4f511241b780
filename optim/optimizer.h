// An optimizer: from gradients to better parameters.
//
// The base class owns what all methods share: the list of parameters, their state (momentum and the like),
// the number of steps taken, and the loop over tensors. A method derives from it, names its state tensors and
// defines `update` for a stretch of numbers; see optim/sgd.h for the shortest one.
//
//   AdamW optimizer(model.parameters(), {.weight_decay = 0.01});
//   Schedule rate = one_cycle(total_steps, {.peak = 0.01});       // optim/schedule.h
//   for (int64_t step = 0; step < total_steps; ++step) {
//     optimizer.zero_grad();
//     backward(softmax_cross_entropy(model(images), labels));
//     optimizer.step(rate(step));
//   }
//
// Weight decay touches only parameters that say so (Parameter::decays): weights, not biases and the
// parameters of normalization.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "layers/layer.h"

namespace qlimit {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Moves every parameter against its gradient. `learning_rate` is finite and not negative. Throws kUsage,
  /// naming the parameter and before anything is changed, if one has no gradient: a silent zero would hide a
  /// cut tape.
  void step(double learning_rate);
  /// Forgets all gradients; opens a training step.
  void zero_grad();

  /// The number of steps taken, and the way to set it when a checkpoint is loaded (0 or more).
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);
  /// All that is remembered between steps, in the order of the parameters: "3.weight.momentum". Zeros before
  /// the first step. optim/state.h brings it into checkpoints.
  std::vector<Buffer> state() const;
  const std::vector<Parameter>& parameters() const { return parameters_; }

 protected:
  static constexpr int kMaxSlots = 2;

  /// A run of consecutive elements of one parameter, with what belongs to them.
  struct Stretch {
    Real* value;
    const Real* grad;
    std::array<Real*, kMaxSlots> slots;  // as many as the method named
    int64_t size;
    bool decays;
  };

  /// `slot_names`: the state that the method keeps for each parameter, at most kMaxSlots tensors of its
  /// shape. A variable that is listed under two names (shared weights) is updated once. Throws kUsage if two
  /// variables have one name.
  Optimizer(const std::vector<Parameter>& parameters, std::vector<std::string> slot_names);

  /// Updates one stretch. Called for different stretches from several threads at once; element by element, so
  /// that the cut does not matter. steps() already counts the step that is going on.
  virtual void update(const Stretch& stretch, double learning_rate) const = 0;

 private:
  void check_gradients() const;

  std::vector<Parameter> parameters_;
  std::vector<std::string> slot_names_;
  std::vector<std::vector<Tensor<Real>>> slots_;  // [parameter][slot]
  int64_t steps_ = 0;
};

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Throws kUsage, naming the option, unless low <= value < high. For the options of optimizers and schedules.
void check_option(const char* name, double value, double low, double high);

}  // namespace qlimit
