// What this machine can do at most, measured: the rates that a kernel's rate is a share of.
//
//   const double peak = peak_multiply_adds(Arithmetic::kInt8);     // a second, with thread_count() threads
//   const double share = multiply_adds / seconds / peak;
//
// Nothing of it is looked up: clocks change, and virtual machines differ from what their processor is named.
#pragma once

#include <cstdint>

namespace qlimit {

enum class Arithmetic {
  kReal,  // multiplications and additions of Real
  kInt8,  // of 8-bit integers, into sums of 32 bits
};

/// Multiply-adds a second that all threads (thread_count()) do together, by the instructions that the
/// kernels of the active instruction set are made of: the best of some measurements, 0.1 seconds in all. A
/// multiply-add is two operations.
double peak_multiply_adds(Arithmetic arithmetic);

/// Bytes a second that all threads together read, each again and again from `bytes` bytes of its own: the
/// best of some measurements. What is read comes from the lowest level of memory that holds as much. Throws
/// kUsage if bytes < 1; it is rounded up to a multiple of 512.
double peak_read_bandwidth(int64_t bytes);

}  // namespace qlimit
