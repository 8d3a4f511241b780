// From its second step on a training asks the system for no memory: what a step needs is what the step before
// gave back. Under a sanitizer nothing is reused, so that stray accesses are seen, and there is nothing to
// test.
#include <gtest/gtest.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "experiments/models.h"
#include "layers/softmax_cross_entropy.h"
#include "optim/adam.h"
#include "optim/adamw.h"
#include "optim/sgd.h"

namespace qlimit {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

struct Case {
  const char* name;
  std::unique_ptr<Sequential> (*make)(Random&);
  Shape images;
};

class TrainingMemory : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Nets, TrainingMemory,
                         testing::Values(Case{"mnist", mnist_model, {16, 28, 28, 1}},
                                         Case{"micro", micro_cifar_model, {16, 32, 32, 3}},
                                         Case{"standard", standard_cifar_model, {16, 32, 32, 3}}),
                         [](const auto& c) { return std::string(c.param.name); });

// What each of five steps asks the system for.
std::vector<int64_t> requests(const Case& c,
                              const std::function<std::unique_ptr<Optimizer>(const Layer&)>& make) {
  release_cached_memory();
  Random random(1, "weights");
  const auto model = c.make(random);
  const auto optimizer = make(*model);
  const Variable images = Variable::constant(Tensor<Real>::full(c.images, Real(0.5)));
  const std::vector<uint8_t> labels(static_cast<size_t>(c.images[0]), 3);
  std::vector<int64_t> asked;
  for (int step = 0; step < 5; ++step) {
    const int64_t before = memory_statistics().system_allocations;
    optimizer->zero_grad();
    const Variable loss = softmax_cross_entropy((*model)(images), labels);
    backward(loss);
    optimizer->step(1e-3);
    asked.push_back(memory_statistics().system_allocations - before);
  }
  return asked;
}

void expect_only_at_first(const std::vector<int64_t>& asked) {
  EXPECT_GT(asked[0], 0);
  for (size_t step = 1; step < asked.size(); ++step) EXPECT_EQ(asked[step], 0) << "step " << step + 1;
}

// With one thread: several may hold more or less scratch memory at the same moment.
TEST_P(TrainingMemory, IsAskedForInTheFirstStepOnly) {
  const int threads = thread_count();
  set_thread_count(1);
  expect_only_at_first(
      requests(GetParam(), [](const Layer& m) { return std::make_unique<Adam>(m.parameters()); }));
  expect_only_at_first(
      requests(GetParam(), [](const Layer& m) { return std::make_unique<AdamW>(m.parameters()); }));
  expect_only_at_first(
      requests(GetParam(), [](const Layer& m) { return std::make_unique<Sgd>(m.parameters()); }));
  set_thread_count(threads);
}

#endif

}  // namespace
}  // namespace qlimit
