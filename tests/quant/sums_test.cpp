// Sums to outputs in vectors, against the scalar definition: ties, extremes, every shift, every instruction
// set.
#include "quant/kernels/sums.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/kernels/isa.h"
#include "core/random.h"

namespace qlimit {
namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

// Sums that stress the rounding: exact ties of the second stage and their neighbours, and the ends of the
// range.
int32_t awkward_sum(Random& random, int32_t right_shift) {
  const int32_t half = static_cast<int32_t>(int64_t{1} << std::clamp(right_shift, 0, 30)) / 2;
  const int32_t step = static_cast<int32_t>(random.below(9)) - 4;
  switch (random.below(4)) {
    case 0:
      return step + (random.below(2) ? half : -half);
    case 1:
      return random.below(2) ? kMost - 8 + step : -kMost + 8 + step;
    case 2:
      return static_cast<int32_t>(random.below(2000)) - 1000;
    default:
      return static_cast<int32_t>(random.next() / 2) - (1 << 30);
  }
}

class Sums : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { set_active_isa(GetParam()); }
  void TearDown() override { set_active_isa(supported_isas().back()); }
};
INSTANTIATE_TEST_SUITE_P(EachIsa, Sums, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

TEST_P(Sums, EqualTheScalarDefinition) {
  Random random(1, "sums test");
  for (int round = 0; round < 400; ++round) {
    const int64_t channels = round % 5 == 0 ? 8 : 1 + random.below(40), columns = (channels + 7) / 8 * 8,
                  rows = 5;
    // Of one and more: a pass of their own; from 2^31 on the scalar way.
    const int32_t most_shift = random.below(3) == 0 ? static_cast<int32_t>(random.below(33)) : 0;
    std::vector<QuantizedMultiplier> multipliers;
    std::vector<int32_t> bias;
    for (int64_t c = 0; c < channels; ++c) {
      const int32_t shift = most_shift - static_cast<int32_t>(random.below(round % 2 ? 31 : 12));
      const int32_t fraction =
          random.below(4) == 0 ? (1 << 30) : static_cast<int32_t>((1u << 30) | (random.next() >> 2));
      multipliers.push_back({fraction, shift});
      bias.push_back(static_cast<int32_t>(random.below(7)) - 3);
    }
    const OutputClamp out{.zero_point = static_cast<int32_t>(random.below(256)) - 128,
                          .min = static_cast<int32_t>(random.below(128)) - 128,
                          .max = static_cast<int32_t>(random.below(128))};
    std::vector<int32_t> sums(static_cast<size_t>(rows * columns), 12345);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t c = 0; c < channels; ++c) {
        sums[static_cast<size_t>(i * columns + c)] =
            awkward_sum(random, -multipliers[static_cast<size_t>(c)].shift);
      }
    }
    for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
      if (rounding == Rounding::kSingle && most_shift > 30) continue;  // which it does not have
      std::vector<int8_t> y(static_cast<size_t>(rows * channels + 1), 77);
      int8::SumRequantizer(columns, bias, multipliers, out, rounding).run(rows, sums.data(), y.data());
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t c = 0; c < channels; ++c) {
          const size_t at = static_cast<size_t>(c);
          const int32_t sum = sums[static_cast<size_t>(i * columns + c)] + bias[at];
          ASSERT_EQ(y[static_cast<size_t>(i * channels + c)], requantize(sum, multipliers[at], out, rounding))
              << "sum " << sum << ", multiplier " << multipliers[at].multiplier << ", shift "
              << multipliers[at].shift;
        }
      }
      ASSERT_EQ(y.back(), 77) << "written past the end";
    }
  }
}

// Rows are padded for the vectors of the set in use when they are laid out, which may not be the widest.
TEST_P(Sums, KeepTheSetThatTheyWereLaidOutFor) {
  constexpr int64_t kChannels = 10, kColumns = 12, kRows = 3;
  const std::vector<QuantizedMultiplier> multipliers(kChannels, {(1 << 30) + 12345, 1});
  const std::vector<int32_t> bias(kChannels, -5);
  const OutputClamp out{.zero_point = 3, .min = -128, .max = 127};
  const int8::SumRequantizer requantizer(kColumns, bias, multipliers, out, Rounding::kDouble);
  std::vector<int32_t> sums;
  for (int32_t i = 0; i < kRows * kColumns; ++i) sums.push_back(7 * i - 100);
  for (Isa other : supported_isas()) {
    set_active_isa(other);
    std::vector<int8_t> y(kRows * kChannels);
    requantizer.run(kRows, sums.data(), y.data());
    for (size_t i = 0; i < y.size(); ++i) {
      const int32_t sum = sums[i / kChannels * kColumns + i % kChannels] - 5;
      ASSERT_EQ(y[i], requantize(sum, multipliers[0], out, Rounding::kDouble)) << isa_name(other);
    }
  }
}

}  // namespace
}  // namespace qlimit
