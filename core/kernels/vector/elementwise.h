// clamp(x, low, high) and its gradient: ReLU is the clamp to [0, inf), ReLU6 to [0, 6].
#pragma once

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

// Not a number stays what it is (each comparison with it is false), so that a broken training run is noticed.
template <int kBytes>
void clamp(int64_t count, Real low, Real high, const Real* x, Real* y) {
  using V = Vector<Real, kBytes>;
  const auto lows = V::broadcast(low), highs = V::broadcast(high);
  int64_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) V::store(y + i, V::min(highs, V::max(lows, V::load(x + i))));
  for (; i < count; ++i) y[i] = low > x[i] ? low : high < x[i] ? high : x[i];
}

// The gradient passes where the result lies strictly between the bounds; at a bound it is 0.
template <int kBytes>
void clamp_backward(int64_t count, Real low, Real high, const Real* y, const Real* upstream, Real* dx) {
  using V = Vector<Real, kBytes>;
  const auto lows = V::broadcast(low), highs = V::broadcast(high);
  int64_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes) {
    const auto value = V::load(y + i);
    const auto inside = (value > lows) & (value < highs);
    V::store(dx + i, inside ? V::load(upstream + i) : typename V::Type{});
  }
  for (; i < count; ++i) dx[i] = y[i] > low && y[i] < high ? upstream[i] : Real(0);
}

}  // namespace
}  // namespace qlimit
