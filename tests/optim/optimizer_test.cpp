// What every optimizer owes its caller, and each method's trajectory beside PyTorch's.
// Compiled for float and for double; the recorded values exist for both.

#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "core/random.h"
#include "optim/adam.h"
#include "optim/adamw.h"
#include "optim/sgd.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using nlohmann::json;

constexpr bool kDouble = std::is_same_v<Real, double>;

json read_golden(const std::string& name) {
  std::ifstream file(std::string(QLIMIT_SOURCE_DIR "/tests/golden/optim/") + name);
  return json::parse(file);
}

Parameter make_parameter(const std::string& name, std::vector<Real> values, bool decays) {
  const int64_t size = static_cast<int64_t>(values.size());
  return {name, Variable::parameter(Tensor<Real>({size}, values)), decays};
}

// ---- the recorded problem; tests/golden/optim/make_golden.py states it ----

class RecordedProblem {
 public:
  RecordedProblem() {
    add("weight", {4, 3}, true);
    add("bias", {3}, false);
    add("kernel", {2, 2, 2, 1}, true);
    add("gamma", {2}, false);
  }

  const std::vector<Parameter>& parameters() const { return parameters_; }

  void add_gradients(int step) {
    int64_t i = 0;
    for (Parameter& parameter : parameters_) {
      Tensor<Real> grad(parameter.variable.shape());
      for (int64_t k = 0; k < grad.size(); ++k, ++i) {
        const double w = parameter.variable.value()[k];
        const double x = static_cast<double>(i);
        const double curvature = 0.05 * std::pow(1.2, x), target = std::cos(3 * x) + std::sin(step) / 2;
        grad[k] = static_cast<Real>(curvature * (w - target) - std::sin(w) / 4);
      }
      parameter.variable.add_grad(grad);
    }
  }

  std::vector<double> values() const {
    std::vector<double> all;
    for (const Parameter& parameter : parameters_)
      all.insert(all.end(), parameter.variable.value().begin(), parameter.variable.value().end());
    return all;
  }

 private:
  void add(const std::string& name, Shape shape, bool decays) {
    Tensor<Real> start(shape);
    for (Real& value : start) value = static_cast<Real>(std::sin(7.0 * static_cast<double>(count_++) + 1));
    parameters_.push_back({name, Variable::parameter(start), decays});
  }

  std::vector<Parameter> parameters_;
  int64_t count_ = 0;
};

std::unique_ptr<Optimizer> make_optimizer(const json& recorded, const std::vector<Parameter>& parameters) {
  const json& options = recorded["options"];
  const std::string kind = recorded["kind"];
  if (kind == "sgd") {
    return std::make_unique<Sgd>(parameters, SgdOptions{.momentum = options.value("momentum", 0.0),
                                                        .nesterov = options.value("nesterov", false),
                                                        .weight_decay = options.value("weight_decay", 0.0)});
  }
  AdamOptions adam;
  if (kind == "adamw") adam.weight_decay = 0.01;
  if (options.contains("betas")) {
    adam.beta1 = options["betas"][0];
    adam.beta2 = options["betas"][1];
  }
  adam.epsilon = options.value("eps", adam.epsilon);
  adam.weight_decay = options.value("weight_decay", adam.weight_decay);
  if (kind == "adam") return std::make_unique<Adam>(parameters, adam);
  return std::make_unique<AdamW>(parameters, adam);
}

// Both sides round each of the 30 steps a handful of times, in slightly different places. The values are of
// order 1 and the problem is contracting, so the roundings do not grow: 30 * 8 * epsilon / 2.
constexpr double kTolerance = 120 * static_cast<double>(std::numeric_limits<Real>::epsilon());

void expect_near(const std::vector<double>& ours, const json& theirs, const std::string& where) {
  ASSERT_EQ(ours.size(), theirs.size()) << where;
  for (size_t i = 0; i < ours.size(); ++i)
    EXPECT_NEAR(ours[i], theirs[i].get<double>(), kTolerance) << where << ", element " << i;
}

TEST(Optimizers, FollowPyTorchsTrajectories) {
  const json golden = read_golden("optimizers.json");
  ASSERT_EQ(golden["cases"].size(), 12u);
  for (const json& recorded : golden["cases"]) {
    SCOPED_TRACE(recorded["kind"].get<std::string>() + " " + recorded["options"].dump());
    const json& expected = recorded[kDouble ? "float64" : "float32"];
    const double rate = recorded["options"]["lr"];
    RecordedProblem problem;
    const auto optimizer = make_optimizer(recorded, problem.parameters());
    size_t compared = 0;
    for (int t = 0; t < 30; ++t) {
      optimizer->zero_grad();
      problem.add_gradients(t);
      optimizer->step(rate * (1 + t % 3) / 2);
      const std::string step = std::to_string(t + 1);
      if (!expected["after"].contains(step)) continue;
      expect_near(problem.values(), expected["after"][step], "after step " + step);
      ++compared;
    }
    EXPECT_EQ(compared, 6u);

    // The state too: slot by slot over all tensors.
    const std::vector<Buffer> state = optimizer->state();
    const size_t slots = expected["state"].size();
    ASSERT_EQ(state.size(), slots * problem.parameters().size());
    for (size_t slot = 0; slot < slots; ++slot) {
      std::vector<double> ours;
      for (size_t i = slot; i < state.size(); i += slots)
        ours.insert(ours.end(), state[i].tensor.begin(), state[i].tensor.end());
      expect_near(ours, expected["state"][slot], "state " + state[slot].name);
    }
  }
}

// ---- by hand ----

TEST(Sgd, OneStepByHand) {
  Parameter w = make_parameter("w", {1, -2}, true);
  Parameter b = make_parameter("b", {4}, false);
  Sgd optimizer({w, b}, {.weight_decay = 0.5});
  w.variable.add_grad(Tensor<Real>({2}, {2, 4}));
  b.variable.add_grad(Tensor<Real>({1}, {8}));
  optimizer.step(0.25);
  EXPECT_EQ(w.variable.value()[0], Real(1 - 0.25 * (2 + 0.5)));
  EXPECT_EQ(w.variable.value()[1], Real(-2 - 0.25 * (4 - 1)));
  EXPECT_EQ(b.variable.value()[0], Real(2));
}

// The first step of Adam has the size of the learning rate, whatever the gradient's: m' / sqrt(v') is its
// sign (Kingma and Ba, section 2.1).
TEST(Adam, FirstStepHasTheSizeOfTheRate) {
  Parameter w = make_parameter("w", {0, 0, 0}, true);
  Adam optimizer({w});
  w.variable.add_grad(Tensor<Real>({3}, {Real(1e-3), -1, 1000}));
  optimizer.step(0.5);
  EXPECT_NEAR(w.variable.value()[0], -0.5, 1e-5);
  EXPECT_NEAR(w.variable.value()[1], 0.5, 1e-6);
  EXPECT_NEAR(w.variable.value()[2], -0.5, 1e-6);
}

// With a gradient of zero only decay acts: AdamW multiplies by 1 - rate * decay each step.
TEST(AdamW, DecayAloneIsGeometric) {
  Parameter w = make_parameter("w", {1, -8}, true);
  Parameter b = make_parameter("b", {3}, false);
  AdamW optimizer({w, b}, {.weight_decay = 0.5});
  for (int t = 0; t < 4; ++t) {
    optimizer.zero_grad();
    w.variable.add_grad(Tensor<Real>({2}));
    b.variable.add_grad(Tensor<Real>({1}));
    optimizer.step(0.5);
  }
  EXPECT_EQ(w.variable.value()[0], Real(0.31640625));  // 0.75^4
  EXPECT_EQ(w.variable.value()[1], Real(-2.53125));
  EXPECT_EQ(b.variable.value()[0], Real(3));
}

// ---- properties of all methods ----

using Maker = std::function<std::unique_ptr<Optimizer>(const std::vector<Parameter>&, double decay)>;

struct Method {
  const char* name;
  Maker make;
};

const std::vector<Method>& methods() {
  static const std::vector<Method> all = {
      {"sgd", [](auto& p, double d) { return std::make_unique<Sgd>(p, SgdOptions{.weight_decay = d}); }},
      {"momentum",
       [](auto& p, double d) {
         return std::make_unique<Sgd>(p, SgdOptions{.momentum = 0.9, .weight_decay = d});
       }},
      {"nesterov",
       [](auto& p, double d) {
         return std::make_unique<Sgd>(p, SgdOptions{.momentum = 0.9, .nesterov = true, .weight_decay = d});
       }},
      {"adam", [](auto& p, double d) { return std::make_unique<Adam>(p, AdamOptions{.weight_decay = d}); }},
      {"adamw", [](auto& p, double d) { return std::make_unique<AdamW>(p, AdamOptions{.weight_decay = d}); }},
  };
  return all;
}

class EveryOptimizer : public testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(, EveryOptimizer, testing::ValuesIn(methods()),
                         [](const auto& tested) { return tested.param.name; });

std::vector<double> train(const Method& method, double decay, int steps) {
  RecordedProblem problem;
  const auto optimizer = method.make(problem.parameters(), decay);
  for (int t = 0; t < steps; ++t) {
    optimizer->zero_grad();
    problem.add_gradients(t);
    optimizer->step(0.01);
  }
  return problem.values();
}

TEST_P(EveryOptimizer, DecaysOnlyWhatSaysSo) {
  const std::vector<double> with = train(GetParam(), 0.5, 5), without = train(GetParam(), 0, 5);
  for (size_t i = 0; i < with.size(); ++i) {
    const bool decays = i < 12 || (i >= 15 && i < 23);  // weight and kernel, not bias and gamma
    EXPECT_EQ(with[i] != without[i], decays) << "element " << i;
  }
}

TEST_P(EveryOptimizer, IsTheSameOnAnyNumberOfThreads) {
  constexpr int64_t kSize = 100'003;  // several chunks and a rest
  const int before = thread_count();
  std::vector<Tensor<Real>> results;
  for (int threads : {1, 2, 4}) {
    set_thread_count(threads);
    Random random(7, "threads");
    Tensor<Real> start({kSize});
    for (Real& value : start) value = static_cast<Real>(random.normal());
    Parameter w{"w", Variable::parameter(start), true};
    const auto optimizer = GetParam().make({w}, 0.1);
    for (int t = 0; t < 3; ++t) {
      Tensor<Real> grad({kSize});
      for (Real& value : grad) value = static_cast<Real>(random.normal());
      optimizer->zero_grad();
      w.variable.add_grad(grad);
      optimizer->step(0.01);
    }
    results.push_back(w.variable.value());
  }
  set_thread_count(before);
  for (size_t i = 1; i < results.size(); ++i)
    EXPECT_TRUE(std::equal(results[0].begin(), results[0].end(), results[i].begin()));
}

// Cutting a tensor into many changes nothing: the update is element by element. Guards the chunk borders.
TEST_P(EveryOptimizer, TreatsABigTensorLikeItsElements) {
  constexpr int64_t kSize = 40'000;
  Random random(3, "cut");
  Tensor<Real> start({kSize}), grad({kSize});
  for (Real& value : start) value = static_cast<Real>(random.normal());
  for (Real& value : grad) value = static_cast<Real>(random.normal());
  Parameter whole{"whole", Variable::parameter(start.clone()), true};
  std::vector<Parameter> parts;
  const auto optimizer = GetParam().make({whole}, 0.1);
  for (int64_t i : {int64_t{0}, int64_t{16'383}, int64_t{16'384}, int64_t{32'768}, kSize - 1})
    parts.push_back(make_parameter(std::to_string(i), {start[i]}, true));
  const auto small = GetParam().make(parts, 0.1);
  for (int t = 0; t < 3; ++t) {
    optimizer->zero_grad();
    small->zero_grad();
    whole.variable.add_grad(grad);
    for (Parameter& part : parts) part.variable.add_grad(Tensor<Real>({1}, {grad[std::stoll(part.name)]}));
    optimizer->step(0.1);
    small->step(0.1);
  }
  for (const Parameter& part : parts)
    EXPECT_EQ(part.variable.value()[0], whole.variable.value()[std::stoll(part.name)]) << part.name;
}

TEST_P(EveryOptimizer, StateAndStepCountContinueARunExactly) {
  RecordedProblem one, two;
  const auto straight = GetParam().make(one.parameters(), 0.1);
  auto resumed = GetParam().make(two.parameters(), 0.1);
  for (int t = 0; t < 12; ++t) {
    if (t == 5) {
      const auto fresh = GetParam().make(two.parameters(), 0.1);
      std::vector<Buffer> from = resumed->state(), to = fresh->state();
      ASSERT_EQ(from.size(), to.size());
      for (size_t i = 0; i < from.size(); ++i) {
        EXPECT_EQ(from[i].name, to[i].name);
        std::copy(from[i].tensor.begin(), from[i].tensor.end(), to[i].tensor.begin());
      }
      const int64_t steps = resumed->steps();
      resumed = GetParam().make(two.parameters(), 0.1);
      std::vector<Buffer> last = resumed->state();
      for (size_t i = 0; i < last.size(); ++i)
        std::copy(to[i].tensor.begin(), to[i].tensor.end(), last[i].tensor.begin());
      resumed->set_steps(steps);
    }
    for (auto [problem, optimizer] : {std::pair{&one, straight.get()}, std::pair{&two, resumed.get()}}) {
      optimizer->zero_grad();
      problem->add_gradients(t);
      optimizer->step(0.02);
    }
  }
  EXPECT_EQ(one.values(), two.values());
}

TEST_P(EveryOptimizer, AMissingGradientIsNamedAndNothingMoves) {
  Parameter first = make_parameter("0.weight", {1}, true), second = make_parameter("1.bias", {2}, false);
  const auto optimizer = GetParam().make({first, second}, 0);
  first.variable.add_grad(Tensor<Real>({1}, {1}));
  expect_error([&] { optimizer->step(0.1); }, ErrorKind::kUsage, {"no gradient: 1.bias"});
  EXPECT_EQ(first.variable.value()[0], Real(1));
  EXPECT_EQ(optimizer->steps(), 0);
}

TEST_P(EveryOptimizer, ZeroGradForgetsAllGradients) {
  Parameter w = make_parameter("w", {1}, true);
  const auto optimizer = GetParam().make({w}, 0);
  w.variable.add_grad(Tensor<Real>({1}, {1}));
  optimizer->zero_grad();
  EXPECT_FALSE(w.variable.has_grad());
}

TEST_P(EveryOptimizer, ASharedWeightMovesOnce) {
  Parameter w = make_parameter("a.weight", {1}, true), alone = make_parameter("w", {1}, true);
  const auto shared = GetParam().make({w, {"b.weight", w.variable, true}}, 0);
  const auto single = GetParam().make({alone}, 0);
  w.variable.add_grad(Tensor<Real>({1}, {2}));
  alone.variable.add_grad(Tensor<Real>({1}, {2}));
  shared->step(0.1);
  single->step(0.1);
  EXPECT_EQ(w.variable.value()[0], alone.variable.value()[0]);
  EXPECT_EQ(shared->parameters().size(), 1u);
}

TEST_P(EveryOptimizer, RefusesABadRate) {
  Parameter w = make_parameter("w", {1}, true);
  const auto optimizer = GetParam().make({w}, 0);
  w.variable.add_grad(Tensor<Real>({1}, {2}));
  for (double rate : {-0.1, std::nan(""), HUGE_VAL})
    expect_error([&] { optimizer->step(rate); }, ErrorKind::kUsage, {"learning_rate"});
  EXPECT_EQ(w.variable.value()[0], Real(1));
}

TEST(Optimizer, RefusesTwoParametersOfOneName) {
  const std::vector<Parameter> parameters = {make_parameter("w", {1}, true), make_parameter("w", {2}, true)};
  expect_error([&] { Sgd optimizer(parameters); }, ErrorKind::kUsage, {"same name: w"});
}

TEST(Optimizer, NamesItsState) {
  const std::vector<Parameter> parameters = {make_parameter("0.weight", {1}, true)};
  const auto names = [](const Optimizer& optimizer) {
    std::vector<std::string> all;
    for (const Buffer& state : optimizer.state()) all.push_back(state.name);
    return all;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(Sgd(parameters)), Names{});
  EXPECT_EQ(names(Sgd(parameters, {.momentum = 0.9})), Names{"0.weight.momentum"});
  EXPECT_EQ(names(AdamW(parameters)), (Names{"0.weight.first_moment", "0.weight.second_moment"}));
}

TEST(Optimizer, OptionsOutOfRangeAreNamed) {
  const std::vector<Parameter> w = {make_parameter("w", {1}, true)};
  expect_error([&] { Sgd optimizer(w, {.momentum = 1}); }, ErrorKind::kUsage, {"momentum"});
  expect_error([&] { Sgd optimizer(w, {.nesterov = true}); }, ErrorKind::kUsage, {"Nesterov"});
  expect_error([&] { Sgd optimizer(w, {.weight_decay = -1}); }, ErrorKind::kUsage, {"weight_decay"});
  expect_error([&] { Adam optimizer(w, {.beta1 = 1}); }, ErrorKind::kUsage, {"beta1"});
  expect_error([&] { Adam optimizer(w, {.beta2 = -0.1}); }, ErrorKind::kUsage, {"beta2"});
  for (const double epsilon :
       {0.0, 1e-46, -1e-8, std::nan("")})  // with 0, a weight without a gradient is 0/0
    expect_error([&] { AdamW optimizer(w, {.epsilon = epsilon}); }, ErrorKind::kUsage, {"epsilon"});
  expect_error([&] { Sgd(w).set_steps(-1); }, ErrorKind::kUsage, {"negative"});
}

}  // namespace
}  // namespace qlimit
