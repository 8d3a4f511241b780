// A program: a graph that has been compiled for one element type, float or int8_t.
//
// Everything is decided when it is made: weights are packed, every tensor has its place in one block of
// memory (the arena), every node has become a kernel: a function from memory to memory. Running it allocates
// nothing and changes nothing in the program, so any number of threads may run one program, each with a
// Workspace of its own.
//
// FloatExecutor and QuantizedModel are a program each, with kernels of their kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "quant/graph.h"
#include "quant/memory_plan.h"

namespace qlimit {

/// Memory for one caller of a program: an arena for each image that is worked on at the same time.
class Workspace {
 public:
  Workspace(int64_t arena_bytes, int64_t arenas);

  int64_t arena_bytes() const { return arena_bytes_; }
  int64_t arenas() const { return arenas_; }
  std::byte* arena(int64_t i) const { return static_cast<std::byte*>(memory_.get()) + i * arena_bytes_; }

 private:
  int64_t arena_bytes_;
  int64_t arenas_;
  std::shared_ptr<void> memory_;
};

/// What a kernel reads and writes: one image's tensors.
template <typename T>
struct KernelArguments {
  const T* x;  // the first activation
  const T* y;  // the second one, of an addition; else null
  T* out;
  std::byte* scratch;  // as many bytes as the kernel asked for
};

/// A node that has been compiled.
template <typename T>
struct CompiledNode {
  std::function<void(const KernelArguments<T>&)> run;
  int64_t scratch_bytes = 0;
};

/// Called with each activation of each image as soon as it is computed, the input included, by the thread
/// that computed it: for calibration and error reports.
template <typename T>
using Probe = std::function<void(int64_t image, ValueId value, const T* data)>;

template <typename T>
class Program {
 public:
  /// `compiled`: one for each node of the graph, in order. A reshape needs no kernel: its `run` is empty.
  Program(const Graph& graph, std::vector<CompiledNode<T>> compiled);

  /// For batches up to `max_batch`. Larger ones run too, only less of them at the same time.
  Workspace make_workspace(int64_t max_batch) const;

  /// Runs each image by itself; `load(image, destination)` writes the input of an image, `store(image,
  /// source)` takes its output. A single image is computed by all threads together, several images are
  /// divided among the threads; the results are the same numbers. Throws kUsage if the workspace belongs to
  /// another program.
  void run(int64_t batch, const std::function<void(int64_t, T*)>& load,
           const std::function<void(int64_t, const T*)>& store, Workspace& workspace,
           const Probe<T>* probe = nullptr) const;

  int64_t input_size() const { return input_.size; }
  int64_t output_size() const { return output_.size; }
  /// Bytes of activations and scratch memory for one image.
  int64_t arena_bytes() const { return arena_bytes_; }

 private:
  struct Place {
    ValueId value = -1;
    int64_t offset = 0;
    int64_t size = 0;
  };
  struct Step {
    std::function<void(const KernelArguments<T>&)> run;
    std::array<int64_t, 2> input_offsets;  // the second is -1 if there is none
    int64_t scratch_offset;
    Place output;
  };

  void run_image(int64_t image, std::byte* arena, const Probe<T>* probe) const;

  std::vector<Step> steps_;
  Place input_, output_;
  int64_t arena_bytes_ = 0;
};

/// The N of a batch of images [N,...]. Throws kUsage if the other dimensions are not those of the graph's
/// input.
int64_t batch_size(const Graph& graph, const Shape& images);

extern template class Program<float>;
extern template class Program<int8_t>;

}  // namespace qlimit
