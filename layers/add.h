// The sum of two values, element by element: what joins the branches of a residual block.
//
//   Variable y = add(body(x), x);
//
// Both inputs receive the upstream gradient as it is: d(a+b)/da = d(a+b)/db = 1. There is no broadcasting.
#pragma once

#include "core/variable.h"

namespace qlimit {

/// a, b: the same shape, any rank -> a + b. Throws kUsage if the shapes differ.
Variable add(const Variable& a, const Variable& b);

}  // namespace qlimit
