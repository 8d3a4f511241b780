// Buffers: aligned, counted, and used again.

#include "core/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/expect_error.h"

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

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Asks for two large buffers of unlike sizes, one after the other, under a limit that holds one of them.
[[noreturn]] void ask_twice_under_a_limit() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  constexpr size_t kLarge = size_t{1} << 30;
  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kLarge + kLarge / 2;
  const rlimit limit{most, most};
  ::setrlimit(RLIMIT_AS, &limit);
  allocate_buffer(kLarge);
  allocate_buffer(kLarge / 4 * 5);
  std::exit(0);
}

TEST(Memory, WhatWaitsMakesRoomForOtherSizes) {
  EXPECT_EXIT(ask_twice_under_a_limit(), testing::ExitedWithCode(0), "");
}
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which abort on such a request
TEST(Memory, MoreThanThereIsIsAnError) {
  const int64_t before = memory_statistics().bytes_in_use;
  expect_error([] { allocate_buffer(size_t{1} << 60); }, ErrorKind::kUsage,
               {"out of memory", "1152921504606846976 bytes"});
  EXPECT_EQ(memory_statistics().bytes_in_use, before);
}
#endif

TEST(Memory, ServesSeveralThreads) {
  const int64_t before = memory_statistics().bytes_in_use;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 1000; ++i) {
        const size_t size = 1 + static_cast<size_t>(i % 50) * 100;
        std::vector<std::shared_ptr<void>> held;
        for (int k = 0; k < 4; ++k) {
          held.push_back(allocate_buffer(size));
          std::memset(held.back().get(), 4 * t + k, size);
        }
        std::this_thread::yield();
        for (int k = 0; k < 4; ++k) {  // nobody else has written there
          const auto* bytes = static_cast<const volatile unsigned char*>(held[static_cast<size_t>(k)].get());
          for (size_t b = 0; b < size; ++b) ASSERT_EQ(bytes[b], 4 * t + k);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_statistics().bytes_in_use, before);
}

}  // namespace
}  // namespace qlimit
