// Elementwise kernels over arrays of any shape, cut into fixed chunks among the threads.
#pragma once

#include <cstdint>

#include "core/real.h"

namespace qlimit {

/// y = min(max(x, low), high); `y` may be `x`.
void clamp(int64_t count, Real low, Real high, const Real* x, Real* y);

/// dx = upstream where low < y < high, else 0, with y the result of `clamp`; `dx` may be `upstream`.
void clamp_backward(int64_t count, Real low, Real high, const Real* y, const Real* upstream, Real* dx);

}  // namespace qlimit
