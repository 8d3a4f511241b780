// Any function of one number, as a table: an 8-bit input has only 256 values, so f is evaluated at all of
// them when the model is built, and running it is one read for each element.
//
//   Lookup sigmoid = make_lookup([](double r) { return 1 / (1 + std::exp(-r)); }, input_params, output_params);
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "quant/affine.h"

namespace qlimit::int8 {

/// The output for each input; that of q stands at q + 128.
using Lookup = std::array<int8_t, 256>;

/// round(f(s_in * (q - z_in)) / s_out) + z_out on the output's grid for all q, in double, ties away from
/// zero. This is our definition: TFLite evaluates its tables in float. Throws kNumeric where f is not a
/// number; infinities saturate.
Lookup make_lookup(const std::function<double(double)>& f, AffineParams input, AffineParams output);

/// x, y: n numbers; y may be x.
void lookup(const Lookup& table, const int8_t* x, int64_t n, int8_t* y);

}  // namespace qlimit::int8
