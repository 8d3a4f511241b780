// Matrix product of 8-bit integers with 32-bit sums: what an integer convolution or dense layer spends its
// time on.
#pragma once

#include <cstdint>

namespace qlimit {

/// c[i,j] = sum over l of a[i,l] * b[j,l], exactly.
/// a: [m,k] (rows are patches of the input), b: [n,k] (rows are filters), c: [m,n], all row-major. Both
/// operands are read along their rows, as OHWI filters and im2col lay them out. The sums must fit into int32,
/// which |a| <= 128, |b| <= 127 and k <= 2^17 ensure.
void gemm_int8_reference(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c);

/// The same numbers from the fastest version that this processor can run.
void gemm_int8(int64_t m, int64_t n, int64_t k, const int8_t* a, const int8_t* b, int32_t* c);

}  // namespace qlimit
