// The staircase of a quantizer against its definition, for every instruction set of the machine.
#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels/staircase.h"
#include "core/parallel.h"
#include "tests/core/kernels_fixture.h"

namespace qlimit {
namespace {

class StaircaseKernels : public Kernels {};

INSTANTIATE_TEST_SUITE_P(EachIsa, StaircaseKernels, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

/// On and between steps, halves exactly, far outside, and what is no number.
std::vector<Real> numbers(const Staircase& s, Random& random) {
  std::vector<Real> x = {0, Real(-0.0), kInfinity, -kInfinity, std::numeric_limits<Real>::quiet_NaN(), 6, -1};
  for (int half_steps = -40; half_steps <= 40; ++half_steps) {
    const Real at = s.scale * Real(0.5) * static_cast<Real>(half_steps);
    x.insert(x.end(), {at, std::nextafter(at, kInfinity), std::nextafter(at, -kInfinity)});
  }
  for (int i = 0; i < 60'000; ++i) x.push_back(static_cast<Real>(random.uniform(-25, 25)) * s.scale);
  return x;
}

/// What happens to one number, by the words of the header.
struct Definition {
  Real clamped, position, integer;
  bool only_rounded;

  Definition(const Staircase& s, Real x)
      : clamped(std::fmin(std::fmax(x, s.clamp_low), s.clamp_high)),
        position(clamped / s.scale),
        integer(std::fmin(std::fmax(std::round(position), s.low), s.high)),
        only_rounded(std::round(position) == integer) {}
};

TEST_P(StaircaseKernels, AreTheDefinition) {
  Random random(1, "staircase test");
  const std::vector<Staircase> all = {
      {.scale = Real(0.37), .low = -8, .high = 7, .clamp_low = -kInfinity, .clamp_high = kInfinity},
      {.scale = Real(0.5), .low = 0, .high = 3, .clamp_low = 0, .clamp_high = kInfinity},
      {.scale = Real(1.5), .low = -1, .high = 14, .clamp_low = 0, .clamp_high = 6}};
  for (const Staircase& s : all) {
    const std::vector<Real> x = numbers(s, random),
                            upstream = random_values(random, static_cast<int64_t>(x.size()));
    const auto count = static_cast<int64_t>(x.size());
    std::vector<Real> y(x.size()), dx(x.size());
    staircase(count, s, x.data(), y.data());
    staircase_backward(count, s, x.data(), upstream.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(x[i])) {
        EXPECT_TRUE(std::isnan(y[i]));
        EXPECT_EQ(dx[i], 0);
        continue;
      }
      const Definition d(s, x[i]);
      ASSERT_EQ(y[i], s.scale * d.integer) << x[i];
      ASSERT_FALSE(y[i] == 0 && std::signbit(y[i])) << x[i];
      const bool passes = d.only_rounded && x[i] > s.clamp_low && x[i] < s.clamp_high;
      ASSERT_EQ(dx[i], passes ? upstream[i] : 0) << x[i];
    }
  }
}

TEST_P(StaircaseKernels, GradientOfTheScale) {
  Random random(2, "staircase test");
  const Staircase s = {.scale = Real(0.37), .low = -2, .high = 5, .clamp_low = -1, .clamp_high = 3};
  for (const int64_t count : {1, 3, 15, 16, 17, 100, 40'000}) {
    std::vector<Real> x = random_values(random, count), upstream = random_values(random, count);
    double expected = 0, magnitude = 0;
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      x[at] *= 4;
      const Definition d(s, x[at]);
      const double term = upstream[at] * (static_cast<double>(d.integer) -
                                          (d.only_rounded ? static_cast<double>(d.position) : 0));
      expected += term;
      magnitude += std::abs(term) + std::abs(upstream[at] * d.integer);
    }
    std::vector<double> found;
    const int threads_before = thread_count();
    for (const int threads : {1, 2}) {
      set_thread_count(threads);
      found.push_back(staircase_scale_gradient(count, s, x.data(), upstream.data()));
    }
    set_thread_count(threads_before);
    const double epsilon = std::numeric_limits<Real>::epsilon();
    EXPECT_NEAR(found[0], expected, 1100 * epsilon * magnitude) << count << ": a lane adds 1024 numbers";
    EXPECT_EQ(found[0], found[1]);
  }
}

}  // namespace
}  // namespace qlimit
