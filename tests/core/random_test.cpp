// The generator against published answers, the distributions against their definitions.

#include "core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

namespace qlimit {
namespace {

using Block = std::array<uint32_t, 4>;

// Known-answer vectors of the Random123 distribution (tests/kat_vectors, lines "philox4x32 10").
TEST(Philox, EqualsThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, WalksThroughTheBlocksOfItsKey) {
  Random random(Random::State{0x299f31d0a4093822u, 0});
  for (uint32_t block = 0; block < 5; ++block) {
    for (uint32_t word : philox({block, 0, 0, 0}, {0xa4093822, 0x299f31d0})) EXPECT_EQ(random.next(), word);
  }
}

TEST(Random, TheCounterGoesOnBeyond32Bits) {
  Random random(Random::State{5, uint64_t{4} << 32});
  EXPECT_EQ(random.next(), philox({0, 1, 0, 0}, {5, 0})[0]);
}

TEST(Random, SeedPurposeAndIndexEachMakeAnotherStream) {
  std::set<uint64_t> keys;
  for (uint64_t seed : {0, 1, 42, 43}) {
    for (const char* purpose : {"", "weights", "shuffle", "shuffle2"}) {
      const Random stream(seed, purpose);
      keys.insert(stream.state().key);
      for (uint64_t i = 0; i < 50; ++i) {
        keys.insert(stream.split(i).state().key);
        keys.insert(stream.split(i).split(i).state().key);
      }
    }
  }
  EXPECT_EQ(keys.size(), 4u * 4 * 101);
}

TEST(Random, SplittingDoesNotDependOnWhatWasDrawn) {
  Random stream(42, "augment");
  Random before = stream.split(3);
  for (int i = 0; i < 9; ++i) stream.next();
  Random after = stream.split(3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(before.next(), after.next());
}

TEST(Random, ContinuesFromItsStateAtAnyPlace) {
  Random stream(1, "x");
  for (int drawn = 0; drawn < 12; ++drawn) {
    Random restored(stream.state()), copy = stream;
    for (int i = 0; i < 6; ++i) EXPECT_EQ(restored.next(), copy.next()) << drawn;
    stream.next();
  }
}

constexpr int kDraws = 200'000;

// The largest deviation of the empirical from the wanted distribution function (Kolmogorov and Smirnov);
// below 1.95 / sqrt(n) in 999 of 1000 samples. The seeds are fixed, so these tests always do the same.
template <typename Cdf>
double ks_distance(std::vector<double> sample, Cdf cdf) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double worst = 0;
  for (size_t i = 0; i < sample.size(); ++i) {
    const double wanted = cdf(sample[i]), rank = static_cast<double>(i);
    worst = std::max({worst, std::abs(wanted - rank / n), std::abs(wanted - (rank + 1) / n)});
  }
  return worst * std::sqrt(n);
}

TEST(Random, UniformIsUniform) {
  Random random(7, "uniform");
  std::vector<double> sample(kDraws);
  for (double& x : sample) {
    x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
  }
  EXPECT_LT(ks_distance(sample, [](double x) { return x; }), 1.95);
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, 5);
    ASSERT_GE(x, -3.0);
    ASSERT_LT(x, 5.0);
  }
}

// All 53 bits are used: the lowest one is set in half the draws.
TEST(Random, UniformHasFullResolution) {
  Random random(7, "bits");
  int odd = 0;
  for (int i = 0; i < 10'000; ++i) odd += static_cast<uint64_t>(std::ldexp(random.uniform(), 53)) % 2;
  EXPECT_NEAR(odd, 5000, 4 * 50);
}

TEST(Random, NormalIsNormal) {
  Random random(7, "normal");
  std::vector<double> sample(kDraws);
  for (double& x : sample) x = random.normal();
  EXPECT_LT(ks_distance(sample, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }), 1.95);
  std::array<double, 5> moment{};
  for (double x : sample) {
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k) / kDraws;
  }
  // Four standard errors: the variance of x^k is E x^2k - (E x^k)^2.
  EXPECT_NEAR(moment[1], 0, 4 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(moment[2], 1, 4 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(moment[3], 0, 4 * std::sqrt(15.0 / kDraws));
  EXPECT_NEAR(moment[4], 3, 4 * std::sqrt(96.0 / kDraws));
}

// Chi-square of the counts; 99.9 % of samples stay below df + 3.1 sqrt(2 df) + 7 (Wilson and Hilferty,
// rounded up).
double chi_square_limit(double df) { return df + 3.1 * std::sqrt(2 * df) + 7; }

TEST(Random, BelowIsUniformForAnyBound) {
  Random random(7, "below");
  for (uint32_t bound : {2u, 3u, 7u, 10u, 64u, 100u, 1000u}) {
    std::vector<double> count(bound);
    for (int i = 0; i < kDraws; ++i) {
      const uint32_t x = random.below(bound);
      ASSERT_LT(x, bound);
      ++count[x];
    }
    const double expected = static_cast<double>(kDraws) / bound;
    double chi_square = 0;
    for (double c : count) chi_square += (c - expected) * (c - expected) / expected;
    EXPECT_LT(chi_square, chi_square_limit(bound - 1)) << bound;
  }
  EXPECT_EQ(random.below(1), 0u);
}

// With a bound of 3 * 2^30, a plain product or remainder would favour a third of the answers two to one.
TEST(Random, BelowHasNoBiasForLargeBounds) {
  Random random(7, "bias");
  std::array<double, 3> by_remainder{}, by_third{};
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t x = random.below(3u << 30);
    ASSERT_LT(x, 3u << 30);
    ++by_remainder[x % 3];
    ++by_third[x >> 30];
  }
  for (const auto& counts : {by_remainder, by_third}) {
    for (double c : counts) EXPECT_NEAR(c, kDraws / 3.0, 4 * std::sqrt(kDraws * 2.0 / 9));
  }
}

TEST(Random, ShuffleMakesAllPermutationsEquallyOften) {
  Random random(7, "shuffle");
  std::vector<double> count(4 * 4 * 4 * 4);
  constexpr int kRounds = 48'000;
  for (int i = 0; i < kRounds; ++i) {
    std::array<int, 4> x{0, 1, 2, 3};
    random.shuffle(x);
    ++count[static_cast<size_t>(((x[0] * 4 + x[1]) * 4 + x[2]) * 4 + x[3])];
  }
  double chi_square = 0;
  int seen = 0;
  for (double c : count) {
    if (c == 0) continue;
    ++seen;
    chi_square += (c - kRounds / 24.0) * (c - kRounds / 24.0) / (kRounds / 24.0);
  }
  EXPECT_EQ(seen, 24);
  EXPECT_LT(chi_square, chi_square_limit(23));
  std::vector<int> empty, one{5};
  random.shuffle(empty);
  random.shuffle(one);
  EXPECT_EQ(one, std::vector<int>{5});
}

// Neighbouring streams share nothing that a correlation would show.
TEST(Random, StreamsOfNeighbouringIndicesAreUncorrelated) {
  const Random parent(42, "images");
  double sum = 0;
  for (uint64_t i = 0; i < kDraws / 10; ++i) {
    Random a = parent.split(i), b = parent.split(i + 1);
    sum += (a.uniform() - 0.5) * (b.uniform() - 0.5) * 12;
  }
  EXPECT_LT(std::abs(sum) / std::sqrt(kDraws / 10.0), 4.0);
}

}  // namespace
}  // namespace qlimit
