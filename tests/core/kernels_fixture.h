// What the tests of kernels share: every instruction set in turn, random numbers and windows.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "core/kernels/isa.h"
#include "core/random.h"
#include "core/real.h"
#include "core/window.h"

namespace qlimit {

inline constexpr double kEpsilon = std::numeric_limits<Real>::epsilon();

class Kernels : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { set_active_isa(GetParam()); }
  void TearDown() override { set_active_isa(supported_isas().back()); }
};

inline std::vector<Real> random_values(Random& random, int64_t count) {
  std::vector<Real> values(static_cast<size_t>(count));
  for (Real& v : values) v = static_cast<Real>(random.normal());
  return values;
}

inline WindowGeometry random_geometry(Random& random, uint32_t most_dilation) {
  const auto number = [&](uint32_t most) { return static_cast<int64_t>(1 + random.below(most)); };
  const Window w{.kernel_h = number(4),
                 .kernel_w = number(4),
                 .stride_h = number(3),
                 .stride_w = number(3),
                 .dilation_h = number(most_dilation),
                 .dilation_w = number(most_dilation),
                 .padding = random.below(2) ? Padding::kSame : Padding::kValid};
  const int64_t least = w.padding == Padding::kSame ? 1 : 8;
  constexpr int64_t kChannels[] = {1, 2, 3, 5, 8, 16, 20, 33};
  return lay_window("test", w,
                    {2, least + random.below(9), least + random.below(9), kChannels[random.below(8)]});
}

}  // namespace qlimit
