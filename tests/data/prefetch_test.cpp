#include "data/prefetch.h"

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>

#include "tests/data/fixtures.h"

namespace qlimit {
namespace {

TEST(Prefetcher, DeliversInOrderWhateverItsDepth) {
  for (const int64_t depth : {1, 2, 3, 100}) {
    Prefetcher<std::unique_ptr<int64_t>> items(50, depth,
                                               [](int64_t i) { return std::make_unique<int64_t>(i); });
    for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(**items.next(), i);
    EXPECT_FALSE(items.next());
    EXPECT_FALSE(items.next());
  }
}

TEST(Prefetcher, OfNothing) {
  Prefetcher<int> items(0, 2, [](int64_t) { return 1; });
  EXPECT_FALSE(items.next());
}

TEST(Prefetcher, WorksAheadButNotFurtherThanItsDepth) {
  std::atomic<int64_t> made = 0;
  Prefetcher<int64_t> items(100, 3, [&](int64_t) { return ++made; });
  for (int64_t taken = 0; taken < 20; ++taken) {
    while (made < taken + 3) std::this_thread::yield();  // it gets there without being asked
    std::this_thread::yield();
    EXPECT_EQ(made, taken + 3);
    items.next();
  }
}

TEST(Prefetcher, ThrowsAtTheFailingItemsTurn) {
  Prefetcher<int64_t> items(10, 5, [](int64_t i) {
    if (i == 2) throw std::runtime_error("item two");
    return i;
  });
  EXPECT_EQ(items.next(), 0);
  EXPECT_EQ(items.next(), 1);
  for (int again = 0; again < 2; ++again) {
    try {
      items.next();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::string("item two"));
    }
  }
}

TEST(Prefetcher, StopsWhenItIsLetGo) {
  for (int64_t taken = 0; taken < 4; ++taken) {
    for (int repetition = 0; repetition < 25; ++repetition) {
      std::atomic<int64_t> made = 0;
      {
        Prefetcher<int64_t> items(1'000'000'000, 2, [&](int64_t) { return ++made; });
        for (int64_t i = 0; i < taken; ++i) items.next();
      }
      EXPECT_LE(made, taken + 2);
    }
  }
}

TEST(Prefetcher, IsJoinedInTheMiddleOfAnItem) {
  std::binary_semaphore started(0), go_on(0);
  std::atomic<bool> finished = false;
  {
    Prefetcher<int64_t> items(10, 2, [&](int64_t i) {
      if (i > 0) return i;
      started.release();
      go_on.acquire();
      finished = true;
      return i;
    });
    started.acquire();
    go_on.release();
  }
  EXPECT_TRUE(finished);
}

TEST(Prefetcher, MeasuresTheWaiting) {
  const auto start = std::chrono::steady_clock::now();
  Prefetcher<int64_t> items(20, 2, [](int64_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return i;
  });
  EXPECT_EQ(items.seconds_waited(), 0.0);
  while (items.next()) {
  }
  EXPECT_GT(items.seconds_waited(), 0.0);
  EXPECT_LE(items.seconds_waited(),
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace
}  // namespace qlimit
