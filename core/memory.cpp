#include "core/memory.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "core/error.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace qlimit {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kReuse = false;
#elif defined(__has_feature)
constexpr bool kReuse = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kReuse = true;
#endif

// Sizes are rounded up so that nearly equal requests share a list: to an eighth of the next power of two.
size_t size_class(size_t bytes) {
  const size_t step = std::max(kAlignment, std::bit_floor(std::max<size_t>(bytes, 1)) / 8);
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

// Memory comes in pages of 4 KiB unless larger ones are asked for. The processor knows by heart where some
// thousands of pages lie, and looks up the others; a batch of activations has more than that. In pages of 2
// MiB it has a dozen. The request is a wish: where the system has none left, pages are small.
constexpr size_t kHugePage = size_t{1} << 21;

void* allocate(size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= kHugePage) {
    void* buffer = std::aligned_alloc(kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage);
    if (buffer) madvise(buffer, bytes, MADV_HUGEPAGE);
    return buffer;
  }
#endif
  return std::aligned_alloc(kAlignment, bytes);
}

class Cache {
 public:
  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    void* buffer = nullptr;
    if (auto& waiting = waiting_[bytes]; !waiting.empty()) {
      buffer = waiting.back();
      waiting.pop_back();
      stats_.bytes_cached -= static_cast<int64_t>(bytes);
    } else {
      ++stats_.system_allocations;
      buffer = allocate(bytes);
      if (!buffer) {  // what waits in other sizes may be room enough
        free_waiting();
        buffer = allocate(bytes);
      }
      if (!buffer) {
        throw Error(ErrorKind::kUsage,
                    {.what = "out of memory", .found = concat("a request for ", bytes, " bytes")});
      }
    }
    stats_.bytes_in_use += static_cast<int64_t>(bytes);
    stats_.peak_bytes_in_use = std::max(stats_.peak_bytes_in_use, stats_.bytes_in_use);
    return buffer;
  }

  void give_back(void* buffer, size_t bytes) {
    const std::lock_guard lock(mutex_);
    stats_.bytes_in_use -= static_cast<int64_t>(bytes);
    if (!kReuse) {
      std::free(buffer);
      return;
    }
    waiting_[bytes].push_back(buffer);
    stats_.bytes_cached += static_cast<int64_t>(bytes);
  }

  MemoryStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void restart_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak_bytes_in_use = stats_.bytes_in_use;
  }

  void release() {
    const std::lock_guard lock(mutex_);
    free_waiting();
  }

 private:
  void free_waiting() {
    for (auto& [bytes, waiting] : waiting_) {
      for (void* buffer : waiting) std::free(buffer);
    }
    waiting_.clear();
    stats_.bytes_cached = 0;
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> waiting_;
  MemoryStatistics stats_;
};

// Never destroyed: tensors with static lifetime may outlive any order of destruction we could choose.
Cache& cache() {
  static Cache* const instance = new Cache;
  return *instance;
}

}  // namespace

std::shared_ptr<void> allocate_buffer(size_t bytes) {
  const size_t rounded = size_class(bytes);
  return {cache().take(rounded), [rounded](void* buffer) { cache().give_back(buffer, rounded); }};
}

MemoryStatistics memory_statistics() { return cache().statistics(); }

void restart_peak_memory() { cache().restart_peak(); }

void release_cached_memory() { cache().release(); }

}  // namespace qlimit
