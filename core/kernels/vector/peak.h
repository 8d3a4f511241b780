// Loops that do nothing but what a convolution's inner loop cannot do without: multiply and add, or read.
// They show what the machine can do at most, to be compared with what a kernel does (core/kernels/peak.h).
//
// Each step loads four inputs and some vectors of filters, and multiplies each with each: as many independent
// sums as a tile of the convolution has, enough to hide a product's latency, and few loads for many products.
// All operands differ and are read anew in each step, because a compiler that knew them would multiply once.
#pragma once

#include <cstring>

#include "core/kernels/vector/vector.h"

namespace qlimit {
namespace {

/// Makes the compiler believe that whatever `data` points at has been read and written.
inline void pretend_use(const void* data) { asm volatile("" : : "r"(data) : "memory"); }

/// `steps` steps of a "dot" (vector/conv.h). Returns the multiply-adds done.
template <typename Dot>
int64_t multiply_add_loop(int64_t steps) {
  constexpr int kInputs = 4, kFilters = Dot::kRegisters / kInputs;
  alignas(64) typename Dot::Element inputs[16 * kInputs] = {};
  alignas(64) std::byte filters[kFilters * Dot::kFilterBytes] = {};
  typename Dot::Sum sums[kInputs][kFilters] = {};
  for (int64_t step = 0; step < steps; ++step) {
    pretend_use(inputs);
    pretend_use(filters);
    typename Dot::Filter filter[kFilters];
#pragma GCC unroll 4
    for (int f = 0; f < kFilters; ++f) filter[f] = Dot::load(filters + f * Dot::kFilterBytes);
#pragma GCC unroll 4
    for (int i = 0; i < kInputs; ++i) {
      const typename Dot::Input input = Dot::broadcast(inputs + 16 * i);
#pragma GCC unroll 4
      for (int f = 0; f < kFilters; ++f) sums[i][f] = Dot::dot(sums[i][f], input, filter[f]);
    }
  }
  // A copy: what others might see has to be in memory at every step, the sums must stay in registers.
  typename Dot::Sum results[kInputs][kFilters];
  std::memcpy(results, sums, sizeof sums);
  pretend_use(results);
  return steps * kInputs * kFilters * Dot::kChannels * Dot::kDepth;
}

/// Reads `bytes` bytes, a multiple of 512.
template <int kBytes>
void read_loop(int64_t bytes, const std::byte* from) {
  using V = Vector<uint64_t, kBytes>;
  constexpr int kVectors = 512 / kBytes < 8 ? 512 / kBytes : 8;
  typename V::Type seen[kVectors] = {};
  for (int64_t i = 0; i < bytes; i += kVectors * kBytes) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      seen[v] |= V::load(reinterpret_cast<const uint64_t*>(from + i + v * kBytes));
    }
  }
  typename V::Type result = seen[0];
  for (int v = 1; v < kVectors; ++v) result |= seen[v];
  pretend_use(&result);
}

}  // namespace
}  // namespace qlimit
