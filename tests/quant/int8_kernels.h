// What the tests of the integer kernels have in common: each kernel against a direct evaluation of its
// formula in wide integers, on random models that favour what goes wrong: numbers and zero points at both
// ends, multipliers near 1/2 and 1, powers of two (exact ties).
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "core/kernels/isa.h"
#include "tests/quant/random_int8.h"
#include "tests/quant/wide_integers.h"

namespace qlimit {

inline constexpr int kModels = 400;

// The fast forms are compiled for several instruction sets; random models take turns.
class Int8Kernels : public testing::Test {
 protected:
  ~Int8Kernels() override { set_active_isa(usual_); }
  void choose_isa(Random& random) {
    const std::vector<Isa> isas = supported_isas();
    set_active_isa(isas[random.below(static_cast<uint32_t>(isas.size()))]);
  }

 private:
  Isa usual_ = active_isa();
};

}  // namespace qlimit
