// The staircase of a quantizer, in real numbers, and the straight line that stands in for it in gradients:
// see core/kernels/staircase.h.
#pragma once

#include <limits>

#include "core/kernels/table.h"
#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

template <int kBytes>
class StaircaseLanes {
 public:
  using V = Vector<Real, kBytes>;
  using Type = typename V::Type;

  explicit StaircaseLanes(const Staircase& s)
      : scale_(V::broadcast(s.scale)),
        low_(V::broadcast(s.low)),
        high_(V::broadcast(s.high)),
        clamp_low_(V::broadcast(s.clamp_low)),
        clamp_high_(V::broadcast(s.clamp_high)) {}

  /// The clamped x in steps, not yet rounded. Not a number stays so, here and below.
  Type position(Type x) const { return V::min(clamp_high_, V::max(clamp_low_, x)) / scale_; }

  Type rounded(Type position) const { return round_half_away(V::min(high_, V::max(low_, position))); }

  Type value(Type x) const { return scale_ * rounded(position(x)); }

  /// Whether rounding is all that happens to a position; ties go away from zero, so a half is outside.
  auto on_grid(Type position) const {
    return (position > low_ - V::broadcast(0.5f)) & (position < high_ + V::broadcast(0.5f));
  }
  auto passes(Type x) const { return on_grid(position(x)) & (x > clamp_low_) & (x < clamp_high_); }

  /// d value / d scale
  Type slope_of_scale(Type x) const {
    const Type at = position(x);
    return rounded(at) - (on_grid(at) ? at : Type{});
  }

 private:
  /// Adding and taking away 1.5 * 2^23 (2^52 in double) rounds to the nearest integer, ties to even; ties
  /// that went towards zero are then sent away from it.
  static Type round_half_away(Type x) {
    const Type integers_only = V::broadcast(Real(1.5) / std::numeric_limits<Real>::epsilon());
    const Type even = (x + integers_only) - integers_only;
    const Type rest = x - even;  // exact
    const Type one = V::broadcast(1);
    const auto up = (rest == V::broadcast(0.5f)) & (x > Type{});
    const auto down = (rest == V::broadcast(-0.5f)) & (x < Type{});
    return even + (up ? one : Type{}) - (down ? one : Type{});
  }

  Type scale_, low_, high_, clamp_low_, clamp_high_;
};

template <int kBytes>
void staircase(int64_t count, const Staircase& s, const Real* x, Real* y) {
  for_each_piece<Real, kBytes>(count, [&]<int kPiece>(int64_t i) {
    using V = Vector<Real, kPiece>;
    V::store(y + i, StaircaseLanes<kPiece>(s).value(V::load(x + i)));
  });
}

template <int kBytes>
void staircase_backward(int64_t count, const Staircase& s, const Real* x, const Real* upstream, Real* dx) {
  for_each_piece<Real, kBytes>(count, [&]<int kPiece>(int64_t i) {
    using V = Vector<Real, kPiece>;
    const auto passes = StaircaseLanes<kPiece>(s).passes(V::load(x + i));
    V::store(dx + i, passes ? V::load(upstream + i) : typename V::Type{});
  });
}

template <int kBytes>
double staircase_scale_gradient(int64_t count, const Staircase& s, const Real* x, const Real* upstream) {
  using V = Vector<Real, kBytes>;
  const StaircaseLanes<kBytes> lanes(s);
  typename V::Type sums = {};
  int64_t i = 0;
  for (; i + V::kLanes <= count; i += V::kLanes)
    sums += V::load(upstream + i) * lanes.slope_of_scale(V::load(x + i));
  double sum = 0;
  for (int64_t lane = 0; lane < V::kLanes; ++lane) sum += sums[lane];
  using One = Vector<Real, sizeof(Real)>;
  const StaircaseLanes<sizeof(Real)> single(s);
  for (; i < count; ++i) sum += upstream[i] * single.slope_of_scale(One::load(x + i))[0];
  return sum;
}

}  // namespace
}  // namespace qlimit
