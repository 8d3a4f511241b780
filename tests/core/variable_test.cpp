// The tape: gradients through graphs of every form, and each misuse told as such. The operations here are the
// test's own, on single numbers, so that every gradient can be computed by hand.

#include "core/variable.h"

#include <gtest/gtest.h>

#include "core/tape.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Tensor<Real> number(double value) { return Tensor<Real>({1}, {static_cast<Real>(value)}); }

Variable sum(const Variable& a, const Variable& b) {
  return record(number(a.value()[0] + b.value()[0]), {.name = "sum"}, {a, b}, [a, b](const Tensor<Real>& g) {
    if (a.wants_grad()) a.add_grad(g);
    if (b.wants_grad()) b.add_grad(g);
  });
}

Variable product(const Variable& a, const Variable& b) {
  return record(number(a.value()[0] * b.value()[0]), {.name = "product"}, {a, b},
                [a, b](const Tensor<Real>& g) {
                  if (a.wants_grad()) a.add_grad(number(g[0] * b.value()[0]));
                  if (b.wants_grad()) b.add_grad(number(g[0] * a.value()[0]));
                });
}

Variable parameter(double value) { return Variable::parameter(number(value)); }
Variable constant(double value) { return Variable::constant(number(value)); }

TEST(Variable, DiamondSumsBothWays) {
  const Variable x = parameter(3);
  const Variable left = product(x, x), right = product(x, constant(5));
  backward(product(left, right));  // 5 x^3
  EXPECT_EQ(x.grad()[0], 15 * 9);
}

// Two diamonds on top of each other: a walk in any order but reverse topological sends gradients on too
// early.
TEST(Variable, NestedDiamonds) {
  const Variable x = parameter(2);
  const Variable a = product(x, x);          // x^2
  const Variable b = sum(a, product(a, x));  // x^2 + x^3
  const Variable c = product(sum(b, a), b);  // (2 x^2 + x^3) (x^2 + x^3) = 2 x^4 + 3 x^5 + x^6
  backward(sum(c, x));                       // + x
  EXPECT_EQ(x.grad()[0], 8 * 8 + 15 * 16 + 6 * 32 + 1);
}

TEST(Variable, WeightUsedTwice) {
  const Variable w = parameter(4), x = constant(3);
  backward(product(w, product(w, x)));  // w^2 x
  EXPECT_EQ(w.grad()[0], 2 * 4 * 3);
}

TEST(Variable, ResidualSum) {
  const Variable x = parameter(2), w = parameter(7);
  const Variable y = sum(product(w, x), x);
  backward(y);
  EXPECT_EQ(x.grad()[0], 8);
  EXPECT_EQ(w.grad()[0], 2);
}

TEST(Variable, ConstantBranchHasNoGradient) {
  const Variable w = parameter(2), c = constant(3);
  const Variable branch = product(c, c);
  backward(product(w, branch));
  EXPECT_EQ(w.grad()[0], 9);
  EXPECT_FALSE(branch.wants_grad());
  EXPECT_FALSE(branch.has_grad());
  EXPECT_FALSE(c.has_grad());
}

TEST(Variable, GradientsOfSeveralLossesAdd) {
  const Variable w = parameter(2);
  backward(product(w, constant(3)));
  backward(product(w, constant(4)));
  EXPECT_EQ(w.grad()[0], 7);
  Variable(w).clear_grad();
  EXPECT_FALSE(w.has_grad());
}

TEST(Variable, UpstreamGradientOfAnyShape) {
  const Variable w = Variable::parameter(Tensor<Real>({2, 2}, {1, 2, 3, 4}));
  const Tensor<Real> upstream({2, 2}, {5, 6, 7, 8});
  backward(w, upstream);
  EXPECT_EQ(w.grad()(1, 0), 7);
  expect_error([&] { backward(w); }, ErrorKind::kUsage, {"one element", "[2,2]"});
  expect_error([&] { backward(parameter(1), upstream); }, ErrorKind::kUsage, {"shape", "[1]", "[2,2]"});
}

// The first gradient is kept without a copy; adding a second one must not write into its owner's tensor.
TEST(Variable, AddingLeavesTheGivenTensorAlone) {
  const Variable w = parameter(1);
  const Tensor<Real> first = number(2);
  w.add_grad(first);
  w.add_grad(number(3));
  EXPECT_EQ(w.grad()[0], 5);
  EXPECT_EQ(first[0], 2);
}

TEST(Variable, SecondWalkIsAnError) {
  const Variable w = parameter(2);
  const Variable loss = product(w, w);
  backward(loss);
  expect_error([&] { backward(loss); }, ErrorKind::kUsage, {"twice", "product"});
  EXPECT_EQ(w.grad()[0], 4);
}

TEST(Variable, WalkOverAFreedPartIsAnError) {
  const Variable w = parameter(2);
  const Variable shared = product(w, w);
  backward(product(shared, constant(2)));
  const Real before = w.grad()[0];
  expect_error([&] { backward(product(shared, w)); }, ErrorKind::kUsage, {"walked before", "product"});
  EXPECT_EQ(w.grad()[0], before);  // nothing was added on the way to the error
}

TEST(Variable, WalkThatReachesNoParameterIsAnError) {
  expect_error([] { backward(product(constant(1), constant(2))); }, ErrorKind::kUsage, {"no parameter"});
}

TEST(Variable, UnreachedParameterHasNoGradient) {
  const Variable used = parameter(1), unused = parameter(1);
  backward(product(used, used));
  EXPECT_FALSE(unused.has_grad());
  expect_error([&] { unused.grad(); }, ErrorKind::kUsage, {"no gradient", "parameter"});
}

TEST(Variable, EmptyHandlesAreToldApart) {
  expect_error([] { Variable().value(); }, ErrorKind::kUsage, {"empty variable"});
  const Variable w = parameter(2);
  const Variable y = record(number(2), {.name = "optional"}, {w, Variable()}, [](const Tensor<Real>&) {});
  EXPECT_EQ(y.inputs().size(), 1u);
}

TEST(Variable, OnlyLeavesMayBeWritten) {
  Variable w = parameter(2);
  w.mutable_value()[0] = 3;
  EXPECT_EQ(w.value()[0], 3);
  Variable y = product(w, w);
  const auto expect_refusal = [&] {
    expect_error([&] { y.mutable_value(); }, ErrorKind::kUsage, {"leaves", "product"});
  };
  expect_refusal();
  backward(y);  // y has no inputs any more, but is no leaf
  expect_refusal();
}

TEST(Variable, NothingIsRecordedWhileTheTapeIsOff) {
  const Variable w = parameter(2);
  {
    const TapeOff outer;
    { const TapeOff inner; }
    const Variable y = product(w, w);
    EXPECT_EQ(y.value()[0], 4);
    EXPECT_TRUE(y.is_leaf());
    EXPECT_FALSE(y.wants_grad());
    expect_error([&] { backward(y); }, ErrorKind::kUsage, {"no parameter", "tape"});
  }
  EXPECT_TRUE(product(w, w).wants_grad());
}

// A recursive walk or destructor would overflow the stack.
TEST(Variable, DeepChains) {
  constexpr int kDepth = 100000;
  const Variable w = parameter(1), zero = constant(0);
  Variable y = w;
  for (int i = 0; i < kDepth; ++i) y = sum(y, zero);
  EXPECT_EQ(operations_of(y).size(), kDepth + 2u);
  backward(y);
  EXPECT_EQ(w.grad()[0], 1);

  Variable dropped = w, without_gradient = zero;
  for (int i = 0; i < kDepth; ++i) dropped = sum(dropped, w);
  for (int i = 0; i < kDepth; ++i) without_gradient = sum(without_gradient, zero);
  backward(sum(w, without_gradient));  // frees the constant branch
  EXPECT_EQ(w.grad()[0], 2);
}

TEST(Variable, BackwardFreesTheTapeAndLosesNoMemory) {
  const int64_t before = memory_statistics().bytes_in_use;
  {
    const Variable w = parameter(2);
    const int64_t one = memory_statistics().bytes_in_use - before;
    Variable loss = product(w, w);
    for (int i = 0; i < 10; ++i) loss = product(loss, w);
    backward(loss);
    loss = Variable();
    EXPECT_EQ(memory_statistics().bytes_in_use - before, 2 * one);  // the value of w and its gradient
  }
  EXPECT_EQ(memory_statistics().bytes_in_use, before);
}

TEST(TapeListener, HearsOfEachOperationThereAndBack) {
  const Variable w = parameter(2), x = constant(3);
  std::vector<std::pair<TapeEvent, const void*>> heard;
  const void *a = nullptr, *b = nullptr;
  {
    const TapeListener listener([&](TapeEvent event, const Variable& v) {
      heard.push_back({event, v.id()});
      EXPECT_EQ(v.inputs().size(), 2u);
    });
    const Variable first = product(w, x), second = sum(first, w);
    a = first.id();
    b = second.id();
    backward(second);
  }
  backward(product(w, w));  // nobody listens any more
  const std::vector<std::pair<TapeEvent, const void*>> expected = {{TapeEvent::kComputed, a},
                                                                   {TapeEvent::kComputed, b},
                                                                   {TapeEvent::kBackward, b},
                                                                   {TapeEvent::kBackward, a}};
  EXPECT_EQ(heard, expected);
}

TEST(TapeListener, TheNewestOneIsCalledAndThenTheOneBefore) {
  const Variable w = parameter(2);
  int outer = 0, inner = 0;
  const TapeListener first([&](TapeEvent, const Variable&) { ++outer; });
  {
    const TapeListener second([&](TapeEvent, const Variable&) { ++inner; });
    sum(w, w);
  }
  sum(w, w);
  EXPECT_EQ(inner, 1);
  EXPECT_EQ(outer, 1);
}

TEST(OperationsOf, InputsStandBeforeTheirUsersEachOnce) {
  const Variable x = constant(1), w = parameter(2);
  const Variable a = product(w, x), b = product(a, a), y = sum(b, a);
  const std::vector<Variable> order = operations_of(y);
  ASSERT_EQ(order.size(), 5u);
  const Variable expected[] = {w, x, a, b, y};
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(order[i].id(), expected[i].id()) << i;
}

}  // namespace
}  // namespace qlimit
