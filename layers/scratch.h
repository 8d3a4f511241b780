// Memory that one thread works in: aligned, not cleared, from the buffers that are used again
// (core/memory.h).
#pragma once

#include <cstddef>

#include "core/real.h"
#include "core/tensor.h"

namespace qlimit {

/// bytes: a multiple of an element's.
inline Tensor<Real> scratch(int64_t bytes) {
  return Tensor<Real>::uninitialized({bytes / static_cast<int64_t>(sizeof(Real))});
}

inline std::byte* bytes_of(Tensor<Real>& tensor) { return reinterpret_cast<std::byte*>(tensor.data()); }

}  // namespace qlimit
