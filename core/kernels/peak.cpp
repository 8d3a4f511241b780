#include "core/kernels/peak.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/kernels/table.h"
#include "core/memory.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

constexpr double kSampleSeconds = 1e-3;  // short, so that some fall between the disturbances
constexpr int kSamples = 100;
constexpr int64_t kReadMultiple = 512;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The highest of several rates: whatever else goes on can only lower one. `work` is done by each thread at
// the same time, and takes how often to do it.
double best_rate(double work_each, const std::function<void(int64_t thread, int64_t times)>& work) {
  int64_t times = 1;
  const auto alone = [&] { return seconds_of([&] { work(0, times); }); };
  while (std::min({alone(), alone(), alone()}) < kSampleSeconds) times *= 2;

  const int64_t threads = thread_count();
  double best = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    const double seconds = seconds_of(
        [&] { parallel_chunks(threads, 1, [&](int64_t thread, int64_t, int64_t) { work(thread, times); }); });
    best = std::max(best, static_cast<double>(threads * times) * work_each / seconds);
  }
  return best;
}

}  // namespace

double peak_multiply_adds(Arithmetic arithmetic) {
  const auto loop =
      arithmetic == Arithmetic::kInt8 ? kernels().multiply_add_int8_loop : kernels().multiply_add_loop;
  constexpr int64_t kSteps = 1000;
  return best_rate(static_cast<double>(loop(kSteps)), [&](int64_t, int64_t times) { loop(times * kSteps); });
}

double peak_read_bandwidth(int64_t bytes) {
  if (bytes < 1) throw Error(ErrorKind::kUsage, {.what = "no bytes to read", .found = concat(bytes)});
  bytes = (bytes + kReadMultiple - 1) / kReadMultiple * kReadMultiple;
  std::vector<std::shared_ptr<void>> buffers;
  for (int thread = 0; thread < thread_count(); ++thread) {
    buffers.push_back(allocate_buffer(static_cast<size_t>(bytes)));
    std::fill_n(static_cast<std::byte*>(buffers.back().get()), bytes, std::byte{1});
  }
  return best_rate(static_cast<double>(bytes), [&](int64_t thread, int64_t times) {
    const auto* from = static_cast<const std::byte*>(buffers[static_cast<size_t>(thread)].get());
    for (int64_t i = 0; i < times; ++i) kernels().read_loop(bytes, from);
  });
}

}  // namespace qlimit
