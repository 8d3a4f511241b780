// Memory for tensors: 64-byte aligned, and kept for reuse when it is released.
//
// A training step asks for the same sizes again and again, and fresh pages are dear (the kernel clears each
// one at the first touch). So released buffers wait in lists by size, and from the second step on nothing is
// asked of the system (with one thread: several may need more scratch memory now and then). Built with a
// sanitizer, every request goes to the system, so that stray accesses are seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace qlimit {

inline constexpr size_t kAlignment = 64;

/// A buffer of at least `bytes` bytes, aligned to kAlignment, its content unspecified; it returns to the
/// cache when the last owner lets go. Thread-safe. Throws kUsage if the system has no such amount.
std::shared_ptr<void> allocate_buffer(size_t bytes);

struct MemoryStatistics {
  int64_t bytes_in_use = 0;        // held by tensors now
  int64_t peak_bytes_in_use = 0;   // the most ever held at once, or since the last restart_peak_memory()
  int64_t bytes_cached = 0;        // released and waiting for reuse
  int64_t system_allocations = 0;  // how often the system was asked
};
MemoryStatistics memory_statistics();

/// From now on the peak is the most that is held from now on.
void restart_peak_memory();

/// Gives all waiting buffers back to the system.
void release_cached_memory();

}  // namespace qlimit
