// How the output rows of images are cut into parts for the threads, and kernels that are so cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "core/parallel.h"
#include "core/window.h"
#include "quant/program.h"

namespace qlimit {

/// The output rows of all images of one run, one image below the other, in parts of equal size, each with
/// scratch memory of its own.
class ImageParts {
 public:
  /// row_work: multiply-adds for one output row. Each part is large enough to be worth waking a thread, and a
  /// multiple of `unit` rows, which each image has to be too.
  ImageParts(const WindowGeometry& g, int64_t row_work, int64_t scratch_bytes, int64_t unit = 1)
      : image_rows_(g.out_h), rows_(g.batch * g.out_h), scratch_bytes_((scratch_bytes + 63) / 64 * 64) {
    constexpr int64_t kWorthAThread = 1 << 20;  // about ten microseconds
    constexpr int64_t kMostParts = 8;           // each has scratch memory
    const int64_t most = std::min(kMostParts, rows_);
    const int64_t parts = std::clamp<int64_t>(rows_ * row_work / kWorthAThread, 1, most);
    part_rows_ = chunk_count(chunk_count(rows_, unit), parts) * unit;
  }

  int64_t scratch_bytes() const { return scratch_bytes_; }
  int64_t all_scratch_bytes() const { return scratch_bytes_ * chunk_count(rows_, part_rows_); }

  /// Calls body(part, image, first row, end row) for each image that a part touches, without asking for
  /// memory.
  template <typename Body>
  void run(const Body& body) const {
    const auto run_part = [&](int64_t part, int64_t begin, int64_t end) {
      while (begin < end) {
        const int64_t image = begin / image_rows_;
        const int64_t first = begin - image * image_rows_;
        const int64_t last = std::min(image_rows_, first + end - begin);
        body(part, image, first, last);
        begin += last - first;
      }
    };
    if (part_rows_ == rows_) return run_part(0, 0, rows_);
    parallel_chunks(rows_, part_rows_, std::ref(run_part));
  }

 private:
  int64_t image_rows_;
  int64_t rows_;
  int64_t part_rows_;
  int64_t scratch_bytes_;
};

/// A kernel that computes output rows: `rows(x, begin, end, scratch, y)` with an image, where its output
/// begins and scratch memory. out_size: elements of one image's output.
template <typename T, typename Rows>
Kernel over_images(const WindowGeometry& g, int64_t out_size, const ImageParts& parts, const Rows& rows) {
  const int64_t in_size = g.in_h * g.in_w * g.channels;
  return [=](const KernelArguments& a) {
    parts.run([&](int64_t part, int64_t image, int64_t begin, int64_t end) {
      rows(a.in<T>() + image * in_size, begin, end, a.scratch + part * parts.scratch_bytes(),
           a.out<T>() + image * out_size);
    });
  };
}

/// Multiply-adds of a full convolution that take as long as the depthwise one of `g`: each of its own is
/// slower.
inline int64_t depthwise_row_work(const WindowGeometry& g, int64_t out_channels) {
  return 4 * g.out_w * g.window.kernel_h * g.window.kernel_w * out_channels;
}

}  // namespace qlimit
