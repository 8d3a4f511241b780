#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.h"
#include "optim/optimizer.h"

namespace qlimit {
namespace {

void check_count(const char* name, int64_t count, int64_t least) {
  if (count >= least) return;
  throw Error(ErrorKind::kUsage, {.what = "a schedule is too short",
                                  .where = name,
                                  .expected = concat("at least ", least),
                                  .found = concat(count)});
}

// Half a cosine wave from `start` (at share 0) to `end` (at share 1).
double half_cosine(double start, double end, double share) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace

Schedule constant_rate(double rate) {
  check_option("rate", rate, 0, kUnbounded);
  return [=](int64_t) { return rate; };
}

Schedule step_decay(double rate, int64_t period, double factor) {
  check_option("rate", rate, 0, kUnbounded);
  check_option("factor", factor, 0, kUnbounded);
  check_count("period", period, 1);
  return [=](int64_t step) { return rate * std::pow(factor, static_cast<double>(step / period)); };
}

Schedule cosine_decay(double rate, int64_t steps, double final_rate) {
  check_option("rate", rate, 0, kUnbounded);
  check_option("final_rate", final_rate, 0, kUnbounded);
  check_count("steps", steps, 1);
  return [=](int64_t step) {
    const double share = static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
    return half_cosine(rate, final_rate, share);
  };
}

Schedule with_warm_up(Schedule after, int64_t steps, double start_factor) {
  if (!(start_factor >= 0 && start_factor <= 1)) {
    throw Error(ErrorKind::kUsage, {.what = "an option is out of range",
                                    .where = "start_factor",
                                    .expected = "0 to 1",
                                    .found = concat(start_factor)});
  }
  check_count("steps", steps, 1);
  return [=, after = std::move(after)](int64_t step) {
    if (step >= steps) return after(step - steps);
    const double share = static_cast<double>(step) / static_cast<double>(steps);
    return after(0) * (start_factor + (1 - start_factor) * share);
  };
}

Schedule one_cycle(int64_t steps, OneCycleOptions options) {
  check_option("peak", options.peak, 0, kUnbounded);
  check_option("rising_share", options.rising_share, 0, 1);
  check_option("start_divisor", options.start_divisor, 1, kUnbounded);
  check_option("final_divisor", options.final_divisor, 1, kUnbounded);
  check_count("steps", steps, 2);
  const double first = options.peak / options.start_divisor;
  const double final_rate = first / options.final_divisor;
  // The peak need not fall on a whole step; below zero, the first step is already past it.
  const double peak_at = options.rising_share * static_cast<double>(steps) - 1;
  const double end_at = static_cast<double>(steps - 1);
  return [=](int64_t step) {
    const double at = std::min(static_cast<double>(step), end_at);
    if (at < peak_at) return half_cosine(first, options.peak, at / peak_at);
    return half_cosine(options.peak, final_rate, (at - peak_at) / (end_at - peak_at));
  };
}

}  // namespace qlimit
