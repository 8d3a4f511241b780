// Schedules beside PyTorch's recorded ones, and beyond their ends.

#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

TEST(Schedules, EqualPyTorchs) {
  std::ifstream file(QLIMIT_SOURCE_DIR "/tests/golden/optim/schedules.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  const std::map<std::string, Schedule> ours = {
      {"constant 0.1", constant_rate(0.1)},
      {"step 0.1 period 7 factor 0.3", step_decay(0.1, 7, 0.3)},
      {"cosine 0.1 steps 40", cosine_decay(0.1, 40)},
      {"cosine 0.1 steps 33 final 0.002", cosine_decay(0.1, 33, 0.002)},
      {"warm-up 5 from 1/3, step 0.1 period 6 factor 0.5", with_warm_up(step_decay(0.1, 6, 0.5), 5)},
      {"warm-up 8 from 0.01, constant 0.1", with_warm_up(constant_rate(0.1), 8, 0.01)},
      {"one-cycle peak 0.1 steps 50", one_cycle(50, {.peak = 0.1})},
      {"one-cycle peak 0.02 steps 33 rising 0.45 start 10 final 100",
       one_cycle(33, {.peak = 0.02, .rising_share = 0.45, .start_divisor = 10, .final_divisor = 100})},
      {"one-cycle peak 0.5 steps 3", one_cycle(3, {.peak = 0.5})},
  };
  ASSERT_EQ(golden["rates"].size(), ours.size());
  for (const auto& [name, rates] : golden["rates"].items()) {
    ASSERT_TRUE(ours.contains(name)) << name;
    ASSERT_GE(rates.size(), 3u) << name;
    // PyTorch multiplies its way from step to step: up to 40 roundings.
    for (size_t step = 0; step < rates.size(); ++step)
      EXPECT_NEAR(ours.at(name)(static_cast<int64_t>(step)), rates[step].get<double>(), 1e-15)
          << name << ", step " << step;
  }
}

TEST(Schedules, KeepTheirLastValue) {
  EXPECT_EQ(cosine_decay(0.1, 10, 0.01)(10), 0.01);
  EXPECT_EQ(cosine_decay(0.1, 10, 0.01)(1000), 0.01);
  const Schedule cycle = one_cycle(20, {.peak = 0.1});
  EXPECT_EQ(cycle(1000), cycle(19));
  EXPECT_NEAR(cycle(19), 0.1 / 25 / 1e4, 1e-18);
}

TEST(Schedules, WarmUpReachesTheScheduleItLeadsTo) {
  const Schedule inner = cosine_decay(0.1, 100);
  const Schedule warm = with_warm_up(inner, 10, 0.1);
  EXPECT_NEAR(warm(0), 0.01, 1e-17);
  EXPECT_NEAR(warm(5), 0.055, 1e-16);
  for (int64_t step = 0; step < 120; ++step) EXPECT_EQ(warm(10 + step), inner(step));
}

TEST(Schedules, OneCycleRisesThenFallsAndStaysWithinItsBounds) {
  for (int64_t steps : {2, 3, 4, 7, 10, 100, 12345}) {
    for (double share : {0.0, 0.01, 0.3, 0.5, 0.99}) {
      const Schedule cycle = one_cycle(steps, {.peak = 1, .rising_share = share});
      bool falling = false;
      for (int64_t step = 1; step < steps; ++step) {
        const double before = cycle(step - 1), now = cycle(step);
        ASSERT_GE(now, 1 / 25.0 / 1e4 * (1 - 1e-9)) << steps << " " << share << " " << step;
        ASSERT_LE(now, 1.0);
        if (falling) {
          ASSERT_LE(now, before) << steps << " " << share << " " << step;
        }
        falling = falling || now < before;
      }
      EXPECT_TRUE(falling);
      EXPECT_NEAR(cycle(steps - 1), 1 / 25.0 / 1e4, 1e-12);
    }
  }
}

TEST(Schedules, RefuseNonsense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error([] { constant_rate(-1); }, ErrorKind::kUsage, {"-1"});
  expect_error([&] { constant_rate(nan); }, ErrorKind::kUsage, {"nan"});
  expect_error([] { step_decay(0.1, 0); }, ErrorKind::kUsage, {"too short", "period"});
  expect_error([] { cosine_decay(0.1, 0); }, ErrorKind::kUsage, {"too short", "steps", "found 0"});
  expect_error([] { with_warm_up(constant_rate(1), 0); }, ErrorKind::kUsage,
               {"too short", "steps", "found 0"});
  expect_error([] { with_warm_up(constant_rate(1), 5, 1.5); }, ErrorKind::kUsage, {"0 to 1", "1.5"});
  expect_error([] { one_cycle(1, {}); }, ErrorKind::kUsage, {"too short", "steps", "at least 2"});
  expect_error([] { one_cycle(10, {.rising_share = 1}); }, ErrorKind::kUsage, {"rising"});
  expect_error([] { one_cycle(10, {.start_divisor = 0}); }, ErrorKind::kUsage, {"start"});
}

}  // namespace
}  // namespace qlimit
