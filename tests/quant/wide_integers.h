// Rounding as the specification words it, in integers too wide to overflow: the oracle for fixed-point code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "quant/fixed_point.h"

namespace qlimit::wide {

using Integer = __int128;

inline Integer power_of_two(int exponent) { return Integer{1} << exponent; }

/// x / y with y > 0, rounded down.
inline Integer floor_divide(Integer x, Integer y) { return x >= 0 ? x / y : -((-x + y - 1) / y); }
/// x / y to the nearest integer, ties towards plus infinity.
inline Integer nearest_ties_up(Integer x, Integer y) { return floor_divide(2 * x + y, 2 * y); }
/// x / y to the nearest integer, ties away from zero.
inline Integer nearest_ties_away(Integer x, Integer y) {
  return x >= 0 ? nearest_ties_up(x, y) : -nearest_ties_up(-x, y);
}

inline Integer saturate_to_int32(Integer x) {
  return std::clamp<Integer>(x, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
}

/// x * m * 2^(e-31), rounded twice (at 2^31 ties up, then at the shift ties away) or once (ties up).
inline Integer multiply(Integer x, QuantizedMultiplier m, Rounding rounding) {
  if (rounding == Rounding::kSingle)
    return saturate_to_int32(nearest_ties_up(x * m.multiplier, power_of_two(31 - m.shift)));
  const Integer shifted = saturate_to_int32(x * power_of_two(std::max(m.shift, 0)));
  const Integer high = saturate_to_int32(nearest_ties_up(shifted * m.multiplier, power_of_two(31)));
  return nearest_ties_away(high, power_of_two(std::max(-m.shift, 0)));
}

}  // namespace qlimit::wide
