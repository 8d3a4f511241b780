// An optimizer's state through an archive.

#include "optim/state.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "optim/adamw.h"
#include "optim/sgd.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

// Two parameters, AdamW, and a gradient that depends on the step.
struct Training {
  Training()
      : weight{"w", Variable::parameter(Tensor<Real>({3}, {1, 2, 3})), true},
        bias{"b", Variable::parameter(Tensor<Real>({1}, {4})), false},
        optimizer(std::vector<Parameter>{weight, bias}) {}

  void train(int steps) {
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      const Real g = static_cast<Real>(optimizer.steps() % 5) - Real(1.5);
      weight.variable.add_grad(Tensor<Real>({3}, {g, -g, g * g}));
      bias.variable.add_grad(Tensor<Real>({1}, {1 + g}));
      optimizer.step(0.1);
    }
  }

  Parameter weight, bias;
  AdamW optimizer;
};

Archive saved(const Optimizer& optimizer) {
  Archive archive;
  save_state(optimizer, archive);
  return Archive::parse(archive.to_bytes(), "run.qla");
}

TEST(OptimizerState, HasTheNamesOfTheParameters) {
  std::vector<std::string> names;
  const Archive archive = saved(Training().optimizer);
  for (const Archive::Entry& entry : archive.entries()) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"optimizer.steps", "optimizer.w.first_moment",
                                             "optimizer.w.second_moment", "optimizer.b.first_moment",
                                             "optimizer.b.second_moment"}));
}

TEST(OptimizerState, ContinuesARunBitForBit) {
  Training straight, first, second;
  straight.train(17);
  first.train(6);
  load_state(second.optimizer, saved(first.optimizer));
  for (int64_t i = 0; i < 3; ++i)
    second.weight.variable.mutable_value()[i] = first.weight.variable.value()[i];
  second.bias.variable.mutable_value()[0] = first.bias.variable.value()[0];
  second.train(11);
  EXPECT_EQ(second.optimizer.steps(), 17);
  EXPECT_EQ(saved(straight.optimizer).to_bytes(), saved(second.optimizer).to_bytes());
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(straight.weight.variable.value()[i], second.weight.variable.value()[i]);
  EXPECT_EQ(straight.bias.variable.value()[0], second.bias.variable.value()[0]);
}

TEST(OptimizerState, IsRefusedWholeOrNotAtAll) {
  Training run;
  run.train(2);
  const auto before = saved(run.optimizer).to_bytes();
  const auto refused = [&](const Archive& archive, const std::vector<std::string>& fragments) {
    expect_error([&] { load_state(run.optimizer, archive); }, ErrorKind::kData, fragments);
    EXPECT_EQ(saved(run.optimizer).to_bytes(), before);
  };
  const auto changed = [&](const std::string& name, Archive::Value value) {
    const Archive original = saved(Training().optimizer);
    Archive archive;
    for (const Archive::Entry& entry : original.entries())
      archive.add(entry.name, entry.name == name ? value : entry.value);
    return archive;
  };

  refused(Archive(), {"missing", "optimizer.steps"});
  refused(changed("optimizer.steps", Tensor<int64_t>::full(Shape(), -1)), {"optimizer.steps", "negative"});
  refused(changed("optimizer.steps", Tensor<int64_t>({2})), {"optimizer.steps", "[2]"});
  refused(changed("optimizer.b.second_moment", Tensor<Real>({2})),
          {"optimizer.b.second_moment", "[1]", "[2]"});
  refused(
      changed("optimizer.b.second_moment", Tensor<Real>::full({1}, std::numeric_limits<Real>::quiet_NaN())),
      {"optimizer.b.second_moment", "not finite"});
  Archive more = saved(run.optimizer);
  more.add("optimizer.c.momentum", Tensor<Real>({1}));
  refused(more, {"optimizer.c.momentum"});
  // Another method's state is no state of this one's.
  refused(saved(Sgd(std::vector<Parameter>{run.weight, run.bias}, {.momentum = 0.9})),
          {"missing", "first_moment"});
}

}  // namespace
}  // namespace qlimit
