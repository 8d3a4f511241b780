#include "quant/training/moving_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "tests/quant/random_graph.h"

namespace qlimit {
namespace {

TEST(MovingRange, FindsTheLeastAndTheGreatestAnywhere) {
  Random rng(1, "ranges");
  for (const int64_t size : {1, 2, 15, 16, 17, 33, 1000, 16384, 16385, 50001}) {
    Tensor<float> x = random_tensor({size}, rng);
    const int64_t low = rng.below(static_cast<uint32_t>(size)), high = rng.below(static_cast<uint32_t>(size));
    x[low] = -9;
    x[high] = 9;
    EXPECT_EQ(range_of(x), (Range{low == high ? *std::min_element(x.begin(), x.end()) : -9.0f, 9.0f}))
        << size;
  }
}

TEST(MovingRange, IsThatOfTheActivation) {
  const Tensor<float> x({3}, {-2.0f, 0.5f, 8.0f}), below({2}, {-2.0f, -1.0f});
  EXPECT_EQ(range_of(x), (Range{-2, 8}));
  EXPECT_EQ(range_of(x, Activation::kRelu), (Range{0, 8}));
  EXPECT_EQ(range_of(x, Activation::kRelu6), (Range{0, 6}));
  EXPECT_EQ(range_of(x, Activation::kReluN1To1), (Range{-1, 1}));
  EXPECT_EQ(range_of(below, Activation::kRelu), (Range{0, 0}));
}

TEST(MovingRange, DoesNotDependOnThreadsOrOnWhatIsNoNumber) {
  Random rng(2, "threads");
  Tensor<float> x = random_tensor({100'003}, rng);
  const Range expected = range_of(x);
  for (int64_t i = 5; i < x.size(); i += 1000) x[i] = std::nanf("");
  x[100'002] = 50;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    EXPECT_EQ(range_of(x).max, 50);
    EXPECT_GE(range_of(x).min, expected.min);
  }
  set_thread_count(1);
  const Tensor<float> nothing({1}, {std::nanf("")});
  EXPECT_FALSE(std::isfinite(range_of(nothing).max));
  EXPECT_FALSE(std::isfinite(range_of(nothing, Activation::kRelu6).max));
}

TEST(MovingRange, FollowsByTheFormula) {
  Tensor<Real> range({2}, {-1.0f, 2.0f});
  follow(range, {-3.0f, 4.0f}, 0.75);
  EXPECT_FLOAT_EQ(range[0], -1.5f);  // 0.75 * -1 + 0.25 * -3
  EXPECT_FLOAT_EQ(range[1], 2.5f);   // 0.75 * 2 + 0.25 * 4
  follow(range, {-3.0f, 4.0f}, 0.0);
  EXPECT_FLOAT_EQ(range[0], -3.0f);
}

}  // namespace
}  // namespace qlimit
