#include "quant/broadcast.h"

#include <algorithm>
#include <span>

#include "core/error.h"

namespace qlimit {
namespace {

using Axes = std::array<int64_t, Shape::kMaxRank>;

Axes pad_front(const Shape& shape) {
  Axes sizes;
  sizes.fill(1);
  std::copy(shape.begin(), shape.end(), sizes.end() - shape.rank());
  return sizes;
}

Axes strides_of(const Axes& sizes) {
  Axes strides;
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    strides[i] = sizes[i] == 1 ? 0 : stride;
    stride *= sizes[i];
  }
  return strides;
}

}  // namespace

Broadcast::Broadcast(const char* operation, const Shape& first, const Shape& second) {
  const Axes a = pad_front(first);
  const Axes b = pad_front(second);
  for (size_t i = 0; i < sizes_.size(); ++i) {
    if (a[i] != b[i] && a[i] != 1 && b[i] != 1) {
      throw Error(ErrorKind::kUsage, {.what = "shapes do not fit",
                                      .where = operation,
                                      .expected = "equal sizes, or 1",
                                      .found = concat(first.to_string(), " and ", second.to_string())});
    }
    sizes_[i] = a[i] == 1 ? b[i] : a[i];
  }
  first_ = strides_of(a);
  second_ = strides_of(b);
  const int rank = std::max(first.rank(), second.rank());
  shape_ = Shape(std::span<const int64_t>(sizes_).last(static_cast<size_t>(rank)));
  join_axes();
}

// An axis that goes on where the one behind it ends, in both tensors, becomes one with that.
void Broadcast::join_axes() {
  size_t to = sizes_.size() - 1;
  for (size_t from = to; from-- > 0;) {
    const bool both_go_on =
        first_[from] == first_[to] * sizes_[to] && second_[from] == second_[to] * sizes_[to];
    if (sizes_[from] == 1) continue;
    if (sizes_[to] == 1) {
      first_[to] = first_[from];
      second_[to] = second_[from];
      sizes_[to] = sizes_[from];
    } else if (both_go_on) {
      sizes_[to] *= sizes_[from];
    } else {
      --to;
      sizes_[to] = sizes_[from];
      first_[to] = first_[from];
      second_[to] = second_[from];
    }
  }
  for (size_t i = 0; i < to; ++i) sizes_[i] = 1;
}

}  // namespace qlimit
