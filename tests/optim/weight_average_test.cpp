// The average of weights that follows a training.

#include "optim/weight_average.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// A layer with a weight and a buffer, both to be set at will.
class Model : public Layer {
 public:
  Model()
      : weight(add_parameter("weight", Tensor<Real>({2}), true)),
        statistic(add_buffer("statistic", Tensor<Real>({1}))) {}
  Variable forward(const Variable& x) override { return x; }

  void set(double value) {
    weight.mutable_value()[0] = static_cast<Real>(value);
    weight.mutable_value()[1] = static_cast<Real>(-value);
    statistic[0] = static_cast<Real>(10 * value);
  }

  Variable weight;
  Tensor<Real> statistic;
};

Archive saved(const WeightAverage& average) {
  Archive archive;
  save_state(average, archive);
  return Archive::parse(archive.to_bytes(), "run.qla");
}

// sum of decay^(t-i) w_i / sum of decay^(t-i): the definition, without recursion.
TEST(WeightAverage, IsTheWeightedMeanOfAllThatWasSeen) {
  constexpr double kDecay = 0.8;
  Model model;
  WeightAverage average(model, kDecay);
  std::vector<double> seen;
  for (int t = 0; t < 30; ++t) {
    seen.push_back(std::sin(t) + 0.1 * t);
    model.set(seen.back());
    average.update();
    double sum = 0, shares = 0;
    for (size_t i = 0; i < seen.size(); ++i) {
      const double share = std::pow(kDecay, static_cast<double>(seen.size() - 1 - i));
      sum += share * seen[i];
      shares += share;
    }
    const std::vector<Buffer>& held = average.averages();
    EXPECT_EQ(held[0].name, "weight");
    EXPECT_NEAR(held[0].tensor[0], sum / shares, 1e-5) << t;
    EXPECT_NEAR(held[0].tensor[1], -sum / shares, 1e-5) << t;
    EXPECT_EQ(held[1].name, "statistic");
    EXPECT_NEAR(held[1].tensor[0], 10 * sum / shares, 1e-4) << t;
  }
}

TEST(WeightAverage, OfOneStepIsThatStep) {
  for (const double decay : {0.0, 0.9, 0.9999}) {
    Model model;
    WeightAverage average(model, decay);
    model.set(3.25);
    average.update();
    EXPECT_FLOAT_EQ(static_cast<float>(average.averages()[0].tensor[0]), 3.25F) << decay;
  }
}

TEST(WeightAverage, WithoutDecayFollowsAtOnce) {
  Model model;
  WeightAverage average(model, 0);
  for (const double value : {1.0, -7.0, 2.5}) {
    model.set(value);
    average.update();
    EXPECT_FLOAT_EQ(static_cast<float>(average.averages()[0].tensor[0]), static_cast<float>(value));
  }
}

TEST(WeightAverage, TakesTheModelsPlaceForAWhile) {
  Model model;
  WeightAverage average(model, 0.5);
  model.set(1);
  average.update();
  model.set(4);
  average.update();  // (0.5 * 1 + 4) / 1.5 = 3
  {
    const AveragedWeights now(average);
    EXPECT_FLOAT_EQ(static_cast<float>(model.weight.value()[0]), 3);
    EXPECT_FLOAT_EQ(static_cast<float>(model.statistic[0]), 30);
  }
  EXPECT_EQ(model.weight.value()[0], 4);
  EXPECT_EQ(model.statistic[0], 40);
  EXPECT_FLOAT_EQ(static_cast<float>(average.averages()[0].tensor[0]), 3);
}

TEST(WeightAverage, RefusesWhatMakesNoSense) {
  Model model;
  expect_error([&] { WeightAverage(model, 1); }, ErrorKind::kUsage, {"decay", "below 1"});
  expect_error([&] { WeightAverage(model, -0.1); }, ErrorKind::kUsage, {"decay"});
  WeightAverage average(model, 0.9);
  expect_error([&] { average.swap(); }, ErrorKind::kUsage, {"averaged yet"});
}

TEST(WeightAverage, GoesOnBitForBit) {
  Model model, other;
  WeightAverage straight(model, 0.99), first(model, 0.99), second(other, 0.99);
  const auto step = [](Model& m, WeightAverage& average, int t) {
    m.set(std::cos(t));
    average.update();
  };
  for (int t = 0; t < 20; ++t) step(model, straight, t);
  for (int t = 0; t < 7; ++t) step(model, first, t);
  load_state(second, saved(first));
  for (int t = 7; t < 20; ++t) step(other, second, t);
  EXPECT_EQ(second.updates(), 20);
  EXPECT_EQ(saved(straight).to_bytes(), saved(second).to_bytes());
}

TEST(WeightAverage, IsLoadedWholeOrNotAtAll) {
  Model model;
  WeightAverage average(model, 0.9);
  model.set(2);
  average.update();
  const auto before = saved(average).to_bytes();
  const auto refused = [&](const std::string& name, Archive::Value value,
                           const std::vector<std::string>& fragments) {
    const Archive sound = saved(average);
    Archive archive;
    for (const Archive::Entry& entry : sound.entries())
      archive.add(entry.name, entry.name == name ? value : entry.value);
    expect_error([&] { load_state(average, archive); }, ErrorKind::kData, fragments);
    EXPECT_EQ(saved(average).to_bytes(), before);
  };
  refused("average.updates", Tensor<int64_t>::full(Shape(), -1), {"average.updates", "negative"});
  refused("average.weight", Tensor<Real>({3}), {"average.weight", "[2]", "[3]"});
  refused("average.statistic", Tensor<Real>::full({1}, std::numeric_limits<Real>::infinity()),
          {"average.statistic", "not finite"});
  expect_error([&] { load_state(average, Archive()); }, ErrorKind::kData, {"missing", "average.updates"});
}

}  // namespace
}  // namespace qlimit
