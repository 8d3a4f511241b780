// Prefetcher<T>: a thread that makes items 0 ... count-1 ahead of their use, a few at a time.
//
//   Prefetcher<Batch> batches(count, /*depth=*/3, [&](int64_t i) { return make_batch(i); });
//   while (std::optional<Batch> batch = batches.next()) train(*batch);
//
// Items come in order, whatever the timing. An exception of the maker comes out of next() at its item's turn.
// Letting go of a prefetcher in the middle stops the thread after the item that it is making.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace qlimit {

template <typename T>
class Prefetcher {
 public:
  /// `make` is called on the thread, once for each index in turn; at most `depth` (at least 1) items wait.
  Prefetcher(int64_t count, int64_t depth, std::function<T(int64_t)> make)
      : count_(count),
        depth_(static_cast<size_t>(depth)),
        make_(std::move(make)),
        worker_([this](const std::stop_token& stop) { run(stop); }) {}
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next item, waiting for it if need be; nothing after the last one. Throws what `make` threw.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    if (taken_ == count_) return std::nullopt;
    if (ready_.empty() && !failure_) {
      const auto start = std::chrono::steady_clock::now();
      changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
      waited_ += std::chrono::steady_clock::now() - start;
    }
    if (ready_.empty()) std::rethrow_exception(failure_);
    std::optional<T> item(std::move(ready_.front()));
    ready_.pop_front();
    ++taken_;
    changed_.notify_all();
    return item;
  }

  /// How long next() has waited for the thread, altogether.
  double seconds_waited() const { return std::chrono::duration<double>(waited_).count(); }

 private:
  void run(const std::stop_token& stop) {
    for (int64_t i = 0; i < count_; ++i) {
      {
        std::unique_lock lock(mutex_);
        // False if it was woken by the request to stop.
        if (!changed_.wait(lock, stop, [this] { return ready_.size() < depth_; })) return;
      }
      if (stop.stop_requested()) return;
      try {
        T item = make_(i);
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(item));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      changed_.notify_all();
      if (failure_) return;
    }
  }

  const int64_t count_;
  const size_t depth_;
  const std::function<T(int64_t)> make_;

  std::mutex mutex_;
  std::condition_variable_any changed_;  // of what follows, under the mutex
  std::deque<T> ready_;
  std::exception_ptr failure_;

  int64_t taken_ = 0;  // the caller's own
  std::chrono::steady_clock::duration waited_{};

  std::jthread worker_;  // last, so that it is stopped and joined before anything else goes
};

}  // namespace qlimit
