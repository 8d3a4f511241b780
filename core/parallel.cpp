#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>
#include <mutex>

#include "core/error.h"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace qlimit {
namespace {

std::atomic<int> chosen_threads{0};

// ThreadSanitizer does not see the barriers inside the OpenMP runtime. These two calls tell it what they
// guarantee: what was written before `publish` is visible after `observe`.
#if defined(__SANITIZE_THREAD__)
void publish(void* fence) { __tsan_release(fence); }
void observe(void* fence) { __tsan_acquire(fence); }
#else
void publish(void*) {}
void observe(void*) {}
#endif

}  // namespace

int thread_count() {
  const int chosen = chosen_threads.load();
  return chosen > 0 ? chosen : omp_get_num_procs();
}

void set_thread_count(int count) {
  if (count < 1) {
    throw Error(ErrorKind::kUsage,
                {.what = "bad number of threads", .expected = "1 or more", .found = concat(count)});
  }
  chosen_threads = count;
}

// Not instrumented itself: its threads read what they share (the addresses of these local variables, which
// the compiler hands over) before they can call `observe`. The bodies that it calls are.
__attribute__((no_sanitize("thread"))) void parallel_chunks(
    int64_t count, int64_t grain,
    const std::function<void(int64_t chunk, int64_t begin, int64_t end)>& body) {
  const int64_t chunks = chunk_count(count, grain);
  const auto run = [&](int64_t chunk) { body(chunk, chunk * grain, std::min(count, (chunk + 1) * grain)); };
  const int threads = static_cast<int>(std::min<int64_t>(thread_count(), chunks));
  if (threads <= 1 || omp_in_parallel()) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) run(chunk);
    return;
  }
  std::exception_ptr failure;
  std::mutex failure_mutex;
  char start = 0, finish = 0;
  publish(&start);
#pragma omp parallel num_threads(threads)
  {
    observe(&start);
#pragma omp for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      try {
        run(chunk);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
    }
    publish(&finish);
  }
  observe(&finish);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace qlimit
