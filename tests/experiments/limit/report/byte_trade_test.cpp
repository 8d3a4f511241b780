#include "experiments/limit/report/byte_trade.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/experiments/limit/report/made_up_study.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr BitWidths kFour = {4, 8};

// Three nets; with 4 bits the middle one takes 2,000 bytes, half way (in ratios) between 1,000 and 4,000.
StudySummary three_nets() {
  return summary_of(
      {trained("plain/w2/s1", 1000, 520), trained("plain/w4/s1", 4000, 720),
       trained("plain/w8/s1", 16000, 820),
       quantized("plain/w2/s1/min_max", R"("8/8":500,"4/8":300)", R"(,"bytes":{"8":1000,"4":500})"),
       quantized("plain/w4/s1/min_max", R"("8/8":700,"4/8":640)", R"(,"bytes":{"8":4000,"4":2000})"),
       quantized("plain/w8/s1/min_max", R"("8/8":800,"4/8":760)", R"(,"bytes":{"8":16000,"4":8000})"),
       quantized("plain/w2/s1/bias", R"("4/8":310)"), quantized("plain/w4/s1/bias", R"("4/8":660)"),
       quantized("plain/w8/s1/bias", R"("4/8":770)"), quantized("plain/w8/s1/weight_mse", R"("4/8":799)")});
}

TEST(Interpolate, IsLinearInTheLogarithm) {
  const std::vector<AtBytes> curve = {{1000, 50}, {4000, 70}, {16000, 80}};
  EXPECT_NEAR(*interpolate(curve, 2000), 60, 1e-9);
  EXPECT_NEAR(*interpolate(curve, 8000), 75, 1e-9);
  EXPECT_NEAR(*interpolate(curve, 4000), 70, 1e-9);
  EXPECT_NEAR(*interpolate(curve, 1000), 50, 1e-9);
}

TEST(Interpolate, DoesNotGoBeyondTheCurve) {
  EXPECT_FALSE(interpolate({{1000, 50}, {4000, 70}}, 999).has_value());
  EXPECT_FALSE(interpolate({{1000, 50}, {4000, 70}}, 4001).has_value());
  EXPECT_FALSE(interpolate({{1000, 50}}, 1000).has_value());
  EXPECT_FALSE(interpolate({}, 1000).has_value());
}

TEST(ByteTrades, CompareWithAnEightBitNetOfTheSameBytes) {
  const std::vector<ByteTrade> trades = byte_trades(three_nets(), "plain", "min_max", kFour);
  ASSERT_EQ(trades.size(), 2u);  // the smallest net has no smaller neighbour
  EXPECT_EQ(trades[0].net.parameters, 4000);
  EXPECT_DOUBLE_EQ(trades[0].bytes, 2000);
  EXPECT_NEAR(trades[0].parameters_of_8_bits, 2500, 1e-6);
  EXPECT_NEAR(trades[0].in_8_bits.at(1), 60, 1e-9);
  EXPECT_NEAR(trades[0].narrow.at(1), 64, 1e-9);
  EXPECT_NEAR(trades[0].gain.at(1), 4, 1e-9);
  EXPECT_NEAR(trades[1].gain.at(1), 1, 1e-9);  // 76 against 75
}

TEST(BestRemedy, IsAmongThoseMeasuredOnAllNets) {
  EXPECT_EQ(best_remedy(three_nets(), "plain", kFour), "bias");
  EXPECT_EQ(best_remedy(three_nets(), "plain", {3, 8}), "");
  EXPECT_EQ(best_remedy(three_nets(), "round", kFour), "");
}

TEST(NearestNet, ByRatio) {
  EXPECT_EQ(nearest_net(three_nets(), "plain", 1900).parameters, 1000);
  EXPECT_EQ(nearest_net(three_nets(), "plain", 2100).parameters, 4000);
  EXPECT_EQ(nearest_net(three_nets(), "plain", 1e6).parameters, 16000);
  expect_error([] { nearest_net(three_nets(), "round", 1000); }, ErrorKind::kUsage,
               {"no nets of this shape", "round"});
}

}  // namespace
}  // namespace qlimit
