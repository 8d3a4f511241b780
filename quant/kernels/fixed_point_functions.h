// Functions of a real number in 32-bit integers: what softmax, logistic and tanh are made of.
//
// "Qa.b" is an int32 with a integer and b fraction bits beside its sign: raw / 2^b. All are gemmlowp's
// (fixedpoint/fixedpoint.h), step by step, so that every bit agrees with the runtimes that use them.
//
//   int32_t half = fixed_point_logistic(0);        // 2^30: 0.5 as Q0.31
//   int32_t p = exp_on_negative(-(1 << 26), 5);    // exp(-1), the argument as Q5.26
#pragma once

#include <cstdint>

namespace qlimit::int8 {

/// exp(a) as Q0.31 for a <= 0 with so many integer bits, at most 5.
int32_t exp_on_negative(int32_t a, int integer_bits);

/// 1 / (1 + a) as Q0.31 for a in [0,1) in Q0.31, by three Newton steps.
int32_t one_over_one_plus(int32_t a);

/// (1 - a) / (1 + a) likewise.
int32_t one_minus_over_one_plus(int32_t a);

/// 1 / (1 + exp(-a)) as Q0.31 for any a in Q4.27 but the least.
int32_t fixed_point_logistic(int32_t a);

/// tanh(a) as Q0.31 for any a in Q4.27 but the least.
int32_t fixed_point_tanh(int32_t a);

}  // namespace qlimit::int8
