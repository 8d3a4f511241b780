// How the output rows of one image are cut into parts for the threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "core/parallel.h"

namespace qlimit {

/// `count` parts of `rows` output rows, each part with scratch memory for `rows_at_once` of them.
struct WindowParts {
  int64_t count = 1;
  int64_t rows = 0;
  int64_t rows_at_once = 0;
  int64_t scratch_bytes = 0;  // of one part
  int64_t total_rows = 0;

  /// Calls body(part, first row, end row) for each part, without asking for memory.
  template <typename Body>
  void run(const Body& body) const {
    if (count == 1) return body(0, 0, total_rows);
    parallel_chunks(total_rows, rows, std::ref(body));
  }
};

/// row_work: multiply-adds for one output row; row_bytes: scratch memory for it (0: none is needed). A part
/// is large enough to be worth waking a thread, and a block of its rows fits the second-level cache.
inline WindowParts cut_rows(int64_t total_rows, int64_t row_work, int64_t row_bytes) {
  constexpr int64_t kWorthAThread = 1 << 18;  // tens of microseconds
  constexpr int64_t kMostParts = 8;           // each has scratch memory of its own
  constexpr int64_t kBlockBytes = 64 * 1024;
  WindowParts parts{.total_rows = total_rows};
  const int64_t count =
      std::clamp<int64_t>(total_rows * row_work / kWorthAThread, 1, std::min(kMostParts, total_rows));
  parts.rows = chunk_count(total_rows, count);
  parts.count = chunk_count(total_rows, parts.rows);
  parts.rows_at_once =
      row_bytes == 0 ? parts.rows : std::clamp<int64_t>(kBlockBytes / row_bytes, 1, parts.rows);
  parts.scratch_bytes = (parts.rows_at_once * row_bytes + 63) / 64 * 64;
  return parts;
}

}  // namespace qlimit
