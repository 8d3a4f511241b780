// How the output rows of one image are cut into parts for the threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "core/parallel.h"

namespace qlimit {

/// `count` parts of `rows` output rows, each with `scratch_bytes` of its own.
struct WindowParts {
  int64_t count = 1;
  int64_t rows = 0;
  int64_t total_rows = 0;
  int64_t scratch_bytes = 0;

  /// Calls body(part, first row, end row) for each part, without asking for memory.
  template <typename Body>
  void run(const Body& body) const {
    if (count == 1) return body(0, 0, total_rows);
    parallel_chunks(total_rows, rows, std::ref(body));
  }
};

/// row_work: multiply-adds for one output row. Each part is large enough to be worth waking a thread.
inline WindowParts cut_rows(int64_t total_rows, int64_t row_work, int64_t scratch_bytes) {
  constexpr int64_t kWorthAThread = 1 << 20;  // about ten microseconds
  constexpr int64_t kMostParts = 8;           // each has scratch memory
  const int64_t most = std::min(kMostParts, total_rows);
  const int64_t rows =
      chunk_count(total_rows, std::clamp<int64_t>(total_rows * row_work / kWorthAThread, 1, most));
  return {.count = chunk_count(total_rows, rows),
          .rows = rows,
          .total_rows = total_rows,
          .scratch_bytes = (scratch_bytes + 63) / 64 * 64};
}

}  // namespace qlimit
