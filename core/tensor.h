// Tensor<T>: a contiguous, row-major block of numbers with a shape.
//
// Copying a tensor is cheap and shares its storage; `clone()` makes an independent one. There are no strides
// and no views with gaps: element [n,h,w,c] of an [N,H,W,C] tensor stands at ((n*H + h)*W + w)*C + c, always.
//
//   Tensor<float> x({2, 3});            // zeros
//   x(1, 2) = 5.0f;
//   Tensor<float> row = x.reshape({6}); // the same six numbers under another shape
#pragma once

#include <algorithm>
#include <cassert>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/memory.h"
#include "core/shape.h"

namespace qlimit {

template <typename T>
class Tensor {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// An empty handle: no storage, rank 1, no elements; `empty()` is true.
  Tensor() : shape_({0}) {}
  /// Zeros.
  explicit Tensor(Shape shape) : Tensor(uninitialized(shape)) {
    if (size() > 0) std::memset(static_cast<void*>(data()), 0, sizeof(T) * static_cast<size_t>(size()));
  }
  /// A copy of `values`, in row-major order; throws kUsage if their number is not shape.size().
  Tensor(Shape shape, const std::vector<T>& values) : Tensor(uninitialized(shape)) {
    if (static_cast<int64_t>(values.size()) != shape.size()) {
      throw Error(ErrorKind::kUsage, {.what = "wrong number of values for a tensor",
                                      .where = shape.to_string(),
                                      .expected = concat(shape.size()),
                                      .found = concat(values.size())});
    }
    std::copy(values.begin(), values.end(), data());
  }

  /// Storage whose content is unspecified: for results that are written whole.
  static Tensor uninitialized(Shape shape) {
    Tensor t;
    t.shape_ = shape;
    t.storage_ = allocate_buffer(sizeof(T) * static_cast<size_t>(shape.size()));
    return t;
  }
  static Tensor full(Shape shape, T value) {
    Tensor t = uninitialized(shape);
    t.fill(value);
    return t;
  }

  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_[i]; }
  int64_t size() const { return shape_.size(); }
  bool empty() const { return storage_ == nullptr; }

  T* data() { return static_cast<T*>(storage_.get()); }
  const T* data() const { return static_cast<const T*>(storage_.get()); }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }

  T& operator[](int64_t i) { return data()[i]; }
  const T& operator[](int64_t i) const { return data()[i]; }

  /// Element at the given indices, one per dimension. For reference code and tests, where clarity comes
  /// first.
  template <typename... Index>
  T& operator()(Index... index) {
    return data()[offset({static_cast<int64_t>(index)...})];
  }
  template <typename... Index>
  const T& operator()(Index... index) const {
    return data()[offset({static_cast<int64_t>(index)...})];
  }

  void fill(T value) { std::fill(begin(), end(), value); }

  /// The same storage under another shape; throws kUsage if the number of elements differs.
  Tensor reshape(Shape shape) const {
    if (shape.size() != size()) {
      throw Error(ErrorKind::kUsage, {.what = "reshape changes the number of elements",
                                      .expected = concat(size(), " as in ", shape_.to_string()),
                                      .found = concat(shape.size(), " as in ", shape.to_string())});
    }
    Tensor t = *this;
    t.shape_ = shape;
    return t;
  }

  /// An independent copy.
  Tensor clone() const {
    if (empty()) return {};
    Tensor t = uninitialized(shape_);
    std::copy(begin(), end(), t.begin());
    return t;
  }

  /// True if another tensor uses the same storage, so that writing here would be seen there.
  bool shares_storage() const { return storage_.use_count() > 1; }

 private:
  int64_t offset(std::initializer_list<int64_t> index) const {
    assert(static_cast<int>(index.size()) == rank());
    int64_t at = 0;
    int axis = 0;
    for (int64_t i : index) {
      assert(i >= 0 && i < shape_[axis]);
      at = at * shape_.begin()[axis++] + i;
    }
    return at;
  }

  Shape shape_;
  std::shared_ptr<void> storage_;
};

}  // namespace qlimit
