// How far two correct computations of the same sum may lie apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "core/real.h"

namespace qlimit {

/// The bound for a sum of `terms` numbers of random sign, each at most `largest`: its partial sums stay near
/// sqrt(terms) * largest, each addition errs by at most u = epsilon/2 of that, and independent errors grow as
/// sqrt(terms) as well, so together u * terms * largest. Four times that leaves room for unlucky signs and
/// for the rounding of the recorded side. (The worst case, u * terms^2 * largest, would let mistakes
/// through.)
inline double sum_tolerance(int64_t terms, double largest) {
  return 4 * 0.5 * std::numeric_limits<Real>::epsilon() * static_cast<double>(terms) * largest;
}

}  // namespace qlimit
