// Learning rate schedules: pure functions from the number of the step (0, 1, 2, ...) to the learning rate.
//
// They hold no state, so a resumed run needs no more than the step number:
//
//   Schedule rate = with_warm_up(cosine_decay(0.1, 1000), 100);
//   optimizer.step(rate(optimizer.steps()));
//
// All makers throw kUsage for a rate that is negative or not finite, for step counts below 1 and for other
// options out of range. Beyond its last step a schedule keeps its final value.
#pragma once

#include <cstdint>
#include <functional>

namespace qlimit {

/// The learning rate at step 0, 1, ...
using Schedule = std::function<double(int64_t step)>;

/// Always `rate`.
Schedule constant_rate(double rate);

/// rate * factor^floor(step / period): a stair. As torch.optim.lr_scheduler.StepLR.
Schedule step_decay(double rate, int64_t period, double factor = 0.1);

/// final + (rate - final) * (1 + cos(pi * step / steps)) / 2, from `rate` at step 0 to `final` at step
/// `steps`. Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
/// equation 5, without restarts. As CosineAnnealingLR.
Schedule cosine_decay(double rate, int64_t steps, double final_rate = 0);

/// A straight line from start_factor * after(0) to after(0) over the first `steps` steps, then
/// after(step - steps). start_factor is in [0,1]. As SequentialLR of LinearLR and another.
Schedule with_warm_up(Schedule after, int64_t steps, double start_factor = 1.0 / 3);

struct OneCycleOptions {
  double peak = 0.01;
  double rising_share = 0.3;   // of the steps, in [0,1)
  double start_divisor = 25;   // 1 or more: the first rate is peak / start_divisor
  double final_divisor = 1e4;  // 1 or more: the last rate is the first / final_divisor
};

/// One rise from peak / start_divisor to the peak and one long fall to almost nothing, each half a cosine.
/// Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates",
/// 2018; shape and defaults are those of torch's OneCycleLR (the momentum is not cycled). `steps` is at
/// least 2.
Schedule one_cycle(int64_t steps, OneCycleOptions options);

}  // namespace qlimit
