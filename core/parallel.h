// parallel_for: the only place where the project starts threads for arithmetic.
//
// Work is cut into chunks by its size, never by the number of threads, so every chunk computes the same thing
// on 1, 2 or 64 threads. A sum over chunks keeps one partial result per chunk and adds them in index order:
// results are bit-identical for any number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace qlimit {

/// The number of threads that parallel_for uses: all processors by default.
int thread_count();
/// Throws kUsage if below 1.
void set_thread_count(int count);

/// Items a chunk for loops with a few operations an item: enough work to be worth a thread's while.
inline constexpr int64_t kElementGrain = 1 << 14;

/// The number of chunks of at most `grain` items in `count` items.
inline int64_t chunk_count(int64_t count, int64_t grain) { return (count + grain - 1) / grain; }

/// Calls body(chunk, begin, end) for each chunk [begin,end) of [0,count), `grain` items each (the last may be
/// shorter), in any order and on any thread. Inside another parallel_for it runs on the calling thread. The
/// first exception thrown by a body is thrown again here.
void parallel_chunks(int64_t count, int64_t grain,
                     const std::function<void(int64_t chunk, int64_t begin, int64_t end)>& body);

/// Calls body(begin, end) for each chunk, as above.
inline void parallel_for(int64_t count, int64_t grain,
                         const std::function<void(int64_t begin, int64_t end)>& body) {
  parallel_chunks(count, grain, [&](int64_t, int64_t begin, int64_t end) { body(begin, end); });
}

}  // namespace qlimit
