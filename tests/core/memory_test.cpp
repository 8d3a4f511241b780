// Buffers: aligned, counted, and used again.

#include "core/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace qlimit {
namespace {

TEST(Memory, IsAlignedAndLargeEnough) {
  std::vector<std::shared_ptr<void>> held;
  for (size_t bytes : {0, 1, 63, 64, 65, 1000, 4097, 100'000, 1'000'001}) {
    held.push_back(allocate_buffer(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(held.back().get()) % kAlignment, 0u) << bytes;
    std::memset(held.back().get(), 0xAB, bytes);  // AddressSanitizer watches
  }
  for (size_t i = 0; i < held.size(); ++i) {
    for (size_t k = 0; k < i; ++k) EXPECT_NE(held[i].get(), held[k].get());
  }
}

TEST(Memory, CountsWhatIsInUse) {
  const MemoryStatistics before = memory_statistics();
  {
    const auto a = allocate_buffer(100'000), b = allocate_buffer(200'000);
    const MemoryStatistics held = memory_statistics();
    // Rounding up takes at most an eighth more.
    EXPECT_GE(held.bytes_in_use - before.bytes_in_use, 300'000);
    EXPECT_LE(held.bytes_in_use - before.bytes_in_use, 300'000 * 9 / 8);
    EXPECT_GE(held.peak_bytes_in_use, held.bytes_in_use);
  }
  EXPECT_EQ(memory_statistics().bytes_in_use, before.bytes_in_use);
  EXPECT_GE(memory_statistics().peak_bytes_in_use, before.bytes_in_use + 300'000);
}

TEST(Memory, ThePeakCanStartAnew) {
  const auto held = allocate_buffer(50'000);
  { const auto more = allocate_buffer(1'000'000); }
  restart_peak_memory();
  EXPECT_EQ(memory_statistics().peak_bytes_in_use, memory_statistics().bytes_in_use);
  { const auto more = allocate_buffer(300'000); }
  const MemoryStatistics now = memory_statistics();
  EXPECT_GE(now.peak_bytes_in_use - now.bytes_in_use, 300'000);
  EXPECT_LT(now.peak_bytes_in_use - now.bytes_in_use, 1'000'000);
}

TEST(Memory, NothingWaitsAfterRelease) {
  allocate_buffer(12'345);
  release_cached_memory();
  EXPECT_EQ(memory_statistics().bytes_cached, 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Memory, ARepeatedPatternAsksTheSystemOnlyOnce) {
  const auto step = [] {
    std::vector<std::shared_ptr<void>> held;
    for (size_t bytes : {1000, 5000, 5000, 70'000, 64}) held.push_back(allocate_buffer(bytes));
  };
  release_cached_memory();
  step();
  const MemoryStatistics first = memory_statistics();
  EXPECT_GT(first.bytes_cached, 81'000);
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(memory_statistics().system_allocations, first.system_allocations);
  EXPECT_EQ(memory_statistics().bytes_cached, first.bytes_cached);
}
#endif

TEST(Memory, ServesSeveralThreads) {
  const int64_t before = memory_statistics().bytes_in_use;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 1000; ++i) {
        const auto buffer = allocate_buffer(1 + static_cast<size_t>(i % 50) * 100);
        auto* byte = static_cast<unsigned char*>(buffer.get());
        *byte = static_cast<unsigned char>(t);
        EXPECT_EQ(*byte, t);  // no two owners at a time
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_statistics().bytes_in_use, before);
}

}  // namespace
}  // namespace qlimit
