// Running a compiled model asks for no memory. This program counts every call of operator new.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/memory.h"
#include "core/parallel.h"
#include "quant/calibrate.h"
#include "quant/passes.h"
#include "quant/quantized_model.h"
#include "tests/quant/random_graph.h"

namespace {

std::atomic<int64_t> news{0};

void* counted(std::size_t bytes) {
  ++news;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++news;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace qlimit {
namespace {

/// What was asked for so far: of operator new, of the tensors' memory cache, and the cache of the system.
struct Requests {
  int64_t of_new = news;
  int64_t bytes_in_use = memory_statistics().bytes_in_use;
  int64_t of_system = memory_statistics().system_allocations;
  bool operator==(const Requests&) const = default;
};

TEST(Allocation, TheCounterCounts) {
  const int64_t before = news;
  const std::vector<int> some(100);
  EXPECT_GT(news, before);
}

TEST(Allocation, RunningAModelAsksForNone) {
  Random rng(1, "allocation");
  const int threads_before = thread_count();
  for (int trial = 0; trial < 20; ++trial) {
    Graph graph = trial == 0 ? wide_graph(rng) : random_graph(rng);
    run_passes(graph);
    const FloatExecutor floats(graph);
    const Tensor<float> images = random_tensor(with_batch(graph.value(graph.input).shape, 5), rng);
    const QuantizedModel integers(quantize(graph, calibrate(floats, images)));
    Tensor<float> outputs(with_batch(graph.value(graph.output).shape, 5));
    Workspace float_workspace = floats.make_workspace(5);
    Workspace workspace = integers.make_workspace(5);
    for (int threads : {1, 2}) {
      set_thread_count(threads);
      for (int64_t batch : {1, 5}) {
        const Requests before;
        floats.run(images.data(), batch, outputs.data(), float_workspace);
        const Requests between;
        integers.run(images.data(), batch, outputs.data(), workspace);
        const Requests after;
        EXPECT_TRUE(before == between) << "float, " << threads << " threads, batch " << batch << "\n"
                                       << to_string(graph);
        EXPECT_TRUE(between == after) << "int8, " << threads << " threads, batch " << batch << "\n"
                                      << to_string(graph);
      }
    }
  }
  set_thread_count(threads_before);
}

}  // namespace
}  // namespace qlimit
