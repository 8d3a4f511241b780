// The staircase that a quantizer makes of a clamp, in real numbers, with the gradients that training uses in
// place of its own, which is 0 nearly everywhere:
//
//   y = scale * clamp(round(clamp(x, clamp_low, clamp_high) / scale), low, high)       ties away from zero
//
// Cut into fixed chunks among the threads. What is not a number stays so, and has no gradient of its own;
// in that of the scale it makes the sum not a number.
#pragma once

#include <cstdint>

#include "core/kernels/table.h"

namespace qlimit {

/// y may be x.
void staircase(int64_t count, const Staircase& s, const Real* x, Real* y);

/// dx = upstream where rounding is all that happens to x, else 0: x is strictly inside of its clamp and less
/// than half a step outside of [low, high]. dx may be upstream.
void staircase_backward(int64_t count, const Staircase& s, const Real* x, const Real* upstream, Real* dx);

/// The sum of upstream * dy/dscale: with v the clamped x in steps and q the integer that it becomes, q - v
/// where rounding is all that happens to v, else q.
double staircase_scale_gradient(int64_t count, const Staircase& s, const Real* x, const Real* upstream);

}  // namespace qlimit
