#include "experiments/charts/pareto_front.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"

namespace qlimit {
namespace {

using Indices = std::vector<size_t>;

TEST(ParetoFront, KeepsWhatNothingBeatsInBothRespects) {
  const std::vector<Trade> trades = {{10, 0.70}, {20, 0.80}, {30, 0.75}, {5, 0.60}, {20, 0.79}};
  EXPECT_EQ(pareto_front(trades), (Indices{3, 0, 1}));
}

TEST(ParetoFront, OfOneOrNone) {
  EXPECT_EQ(pareto_front(std::vector<Trade>{{1, 0.5}}), (Indices{0}));
  EXPECT_TRUE(pareto_front(std::vector<Trade>{}).empty());
}

TEST(ParetoFront, TiesInOneRespectAreDecidedByTheOther) {
  EXPECT_EQ(pareto_front(std::vector<Trade>{{10, 0.7}, {10, 0.8}}), (Indices{1}));
  EXPECT_EQ(pareto_front(std::vector<Trade>{{10, 0.8}, {12, 0.8}}), (Indices{0}));
}

TEST(ParetoFront, EqualTradesAllStay) {
  EXPECT_EQ(pareto_front(std::vector<Trade>{{10, 0.8}, {20, 0.7}, {10, 0.8}}), (Indices{0, 2}));
}

TEST(ParetoFront, OneThatIsBestInBothStandsAlone) {
  EXPECT_EQ(pareto_front(std::vector<Trade>{{9, 0.7}, {3, 0.9}, {4, 0.9}, {3, 0.8}}), (Indices{1}));
}

// Walking along a front, latency and accuracy rise together; what is not on it is beaten by something that
// is.
TEST(ParetoFront, RisesAndDominatesTheRestOnRandomTrades) {
  Random random(7, "pareto front");
  for (int round = 0; round < 200; ++round) {
    std::vector<Trade> trades(1 + static_cast<size_t>(round % 12));
    for (Trade& trade : trades) {
      trade = {static_cast<double>(random.below(6)), static_cast<double>(random.below(6))};  // many ties
    }
    const Indices front = pareto_front(trades);
    ASSERT_FALSE(front.empty());
    for (size_t k = 1; k < front.size(); ++k) {
      EXPECT_LE(trades[front[k - 1]].latency, trades[front[k]].latency);
      EXPECT_LE(trades[front[k - 1]].accuracy, trades[front[k]].accuracy);
    }
    for (size_t i = 0; i < trades.size(); ++i) {
      const bool on_front = std::find(front.begin(), front.end(), i) != front.end();
      const bool beaten =
          std::any_of(front.begin(), front.end(), [&](size_t j) { return dominates(trades[j], trades[i]); });
      EXPECT_NE(on_front, beaten);
    }
  }
}

}  // namespace
}  // namespace qlimit
