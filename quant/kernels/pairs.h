// What the addition and the multiplication of two tensors have in common: rows of pairs for the fast kernels
// (core/kernels/vector/pairs_int8.h), which know one way of rounding only; the plain loops know all.
#pragma once

#include "core/kernels/table.h"
#include "quant/broadcast.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// Whether numbers are rescaled by `m` in vectors.
inline bool rescales_in_vectors(QuantizedMultiplier m, Rounding rounding) {
  return rounding != Rounding::kSingle && m.shift <= 0;
}

inline Int8Scale to_scale(int32_t zero_point, QuantizedMultiplier m) {
  return {.zero_point = zero_point, .multiplier = m.multiplier, .right_shift = -m.shift};
}

/// Fills in where the rows of two tensors lie, and calls the kernel for each.
inline void for_each_pair_row(const Broadcast& pairs, PairsInt8 row, const int8_t* x1, const int8_t* x2,
                              int8_t* y, void (*kernel)(const PairsInt8&)) {
  row.first_step = pairs.first_step();
  row.second_step = pairs.second_step();
  pairs.for_each_row([&](int64_t i, int64_t a, int64_t b, int64_t count) {
    row.count = count;
    row.first = x1 + a;
    row.second = x2 + b;
    row.out = y + i;
    kernel(row);
  });
}

}  // namespace qlimit::int8
