// The last step of convolutions and dense layers: rows of 32-bit sums become 8-bit outputs.
//
// The usual case (double rounding, multipliers below one) runs in vectors, inside of the kernels that made
// the sums. Multipliers of one and more, as filters of few bits have, take another pass, in vectors too;
// single rounding takes the scalar definitions of quant/fixed_point.h.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/table.h"
#include "quant/fixed_point.h"

namespace qlimit::int8 {

/// What a channel's sums go through, laid out for rows of `columns` sums of which the first bias.size() are
/// used.
class SumRequantizer {
 public:
  SumRequantizer() = default;
  SumRequantizer(int64_t columns, const std::vector<int32_t>& bias,
                 const std::vector<QuantizedMultiplier>& multipliers, const OutputClamp& out,
                 Rounding rounding);

  /// Whether kernels may requantize by `scales` themselves; otherwise only `run` knows how to round.
  bool in_registers() const { return in_vectors_ && !shifts_left_; }
  /// For kernels that requantize a sum while it is in a register; columns of each.
  ChannelRequantizer scales() const;

  /// y[i,c] = clamp((sums[i,c] + bias[c]) * M[c] + z_out). sums: [rows, columns], y: [rows, channels].
  void run(int64_t rows, const int32_t* sums, int8_t* y) const;

 private:
  void run_in_vectors(int64_t rows, int64_t grouped, const int32_t* sums, int8_t* y) const;

  int64_t columns_ = 0;
  int64_t channels_ = 0;
  bool in_vectors_ = false, shifts_left_ = false;
  int64_t grouped_rows_ = 1;  // rows that are taken as one, so that they fill a vector
  std::vector<int32_t> bias_, multipliers_, right_shifts_, left_shifts_;  // one per column of so many rows
  OutputClamp out_;
  Rounding rounding_ = Rounding::kDouble;
  const KernelTable* table_ = nullptr;  // for whose vectors the rows are laid out
};

}  // namespace qlimit::int8
