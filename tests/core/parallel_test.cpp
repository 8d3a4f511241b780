// parallel_for: every item once, the same result on any number of threads, exceptions brought home.

#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(before_); }

 private:
  int before_ = thread_count();
};
INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 4, 7));

TEST_P(Parallel, VisitsEveryItemOnce) {
  for (int64_t count : {0, 1, 2, 9, 10, 11, 100, 1001}) {
    for (int64_t grain : {1, 3, 10, 5000}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        EXPECT_LT(begin, end);
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (const auto& visit : visits) EXPECT_EQ(visit, 1);
    }
  }
}

TEST_P(Parallel, CutsBySizeAlone) {
  using Chunk = std::tuple<int64_t, int64_t, int64_t>;
  std::vector<Chunk> chunks(static_cast<size_t>(chunk_count(11, 4)));
  parallel_chunks(11, 4, [&](int64_t chunk, int64_t begin, int64_t end) {
    chunks[static_cast<size_t>(chunk)] = {chunk, begin, end};
  });
  EXPECT_EQ(chunks, (std::vector<Chunk>{{0, 0, 4}, {1, 4, 8}, {2, 8, 11}}));
}

// Partial sums by chunk, added in index order: the pattern that the whole project uses.
float sum_of(const std::vector<float>& values) {
  const int64_t count = static_cast<int64_t>(values.size());
  std::vector<float> partial(static_cast<size_t>(chunk_count(count, 100)));
  parallel_chunks(count, 100, [&](int64_t chunk, int64_t begin, int64_t end) {
    partial[static_cast<size_t>(chunk)] = std::accumulate(values.begin() + begin, values.begin() + end, 0.0f);
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0f);
}

TEST_P(Parallel, SumsAreTheSameOnAnyNumberOfThreads) {
  std::vector<float> values(12'345);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 1e3f;
  const float here = sum_of(values);
  set_thread_count(1);
  EXPECT_EQ(here, sum_of(values));
}

TEST_P(Parallel, BringsAnExceptionHomeAndGoesOnWorking) {
  const auto run = [](int64_t bad) {
    std::atomic<int> done = 0;
    parallel_for(20, 1, [&](int64_t begin, int64_t) {
      if (begin == bad) throw Error(ErrorKind::kNumeric, {.what = "chunk failed"});
      ++done;
    });
    return done.load();
  };
  for (int64_t bad : {0, 7, 19}) expect_error([&] { run(bad); }, ErrorKind::kNumeric, {"chunk failed"});
  EXPECT_EQ(run(-1), 20);
}

TEST_P(Parallel, ThrowsOnceIfAllChunksFail) {
  EXPECT_THROW(parallel_for(50, 1, [](int64_t, int64_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
}

TEST_P(Parallel, RunsInsideItself) {
  std::atomic<int> sum = 0;
  parallel_for(8, 1, [&](int64_t outer, int64_t) {
    parallel_for(10, 3, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sum += static_cast<int>(outer * 10 + i);
    });
  });
  EXPECT_EQ(sum, 79 * 80 / 2);
}

TEST(Threads, TheNumberIsAtLeastOne) {
  EXPECT_GE(thread_count(), 1);
  for (int bad : {0, -3}) expect_error([&] { set_thread_count(bad); }, ErrorKind::kUsage, {"1 or more"});
}

}  // namespace
}  // namespace qlimit
