// The number type of training. float in the product; the same sources are compiled once more with double for
// gradient checks, where central differences need the digits.
#pragma once

namespace qlimit {

#ifdef QLIMIT_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

}  // namespace qlimit
