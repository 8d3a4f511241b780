// A program: a graph that has been compiled.
//
// Everything is decided when it is made: weights are packed, every tensor has its place in one block of
// memory (the arena), every node has become a kernel: a function from memory to memory. Running it allocates
// nothing and changes nothing in the program, so any number of threads may run one program, each with a
// Workspace of its own.
//
// One run of the graph takes one image, or as many as the graph is written for; a batch is many runs.
// FloatExecutor and QuantizedModel are a program each, with kernels of their kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "quant/graph.h"

namespace qlimit {

/// Memory for one caller of a program: an arena for each run that takes place at the same time.
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

/// Where a kernel finds an operand: in the arena, or in memory of its own if it is a constant.
struct Operand {
  const std::byte* constant = nullptr;
  int64_t offset = 0;
};

/// What a kernel reads and writes: the tensors of one run. T is their element type, which the kernel knows.
class KernelArguments {
 public:
  KernelArguments(const Operand* operands, std::byte* arena, int64_t output_offset, int64_t scratch_offset)
      : scratch(arena + scratch_offset), operands_(operands), arena_(arena), output_offset_(output_offset) {}

  template <typename T>
  const T* in(size_t i = 0) const {
    const Operand& operand = operands_[i];
    return reinterpret_cast<const T*>(operand.constant ? operand.constant : arena_ + operand.offset);
  }
  /// The first `count` operands; what follows them is undefined.
  template <typename T>
  std::array<const T*, kMostOperands> all(size_t count) const {
    std::array<const T*, kMostOperands> operands;
    for (size_t i = 0; i < count; ++i) operands[i] = in<T>(i);
    return operands;
  }
  template <typename T>
  T* out() const {
    return reinterpret_cast<T*>(arena_ + output_offset_);
  }

  std::byte* scratch;  // as many bytes as the kernel asked for

 private:
  const Operand* operands_;
  std::byte* arena_;
  int64_t output_offset_;
};

using Kernel = std::function<void(const KernelArguments&)>;

/// A node that has been compiled. A reshape needs no kernel: its `run` is empty.
struct CompiledNode {
  Kernel run;
  int64_t scratch_bytes = 0;
  /// If there is one: computes the next node's result at once, without this node's own. Nobody else reads
  /// that. Not used for a probe that sees every value.
  Kernel run_with_next = nullptr;
};

/// The constants that nodes have as operands, as they are stored, by ValueId; empty for other values.
using OperandConstants = std::vector<std::shared_ptr<const void>>;

/// Called with each activation of each run as soon as it is computed, the input included, by the thread that
/// computed it: for calibration, error reports and dumps. `data` has the value's type.
using Probe = std::function<void(int64_t run, ValueId value, const void* data)>;

/// What a probe sees.
enum class ProbeView {
  kEveryValue,  // each node is computed by itself, which may take longer than an ordinary run
  kAsComputed,  // an ordinary run: a value that is computed at once with the next one is passed over
};

class Program {
 public:
  /// `compiled`: one for each node of the graph, in order. Throws kUnsupported if a run needs more than
  /// kMostArenaBytes.
  Program(const Graph& graph, std::vector<CompiledNode> compiled, OperandConstants constants);

  /// More memory for one run than any net of this kind needs: a graph that asks for it is a mistake, or came
  /// from a damaged file.
  static constexpr int64_t kMostArenaBytes = int64_t{1} << 31;

  /// For batches up to `max_runs`. Larger ones run too, only less of them at the same time.
  Workspace make_workspace(int64_t max_runs) const;

  /// Each run by itself; `load(run, destination)` writes the input, `store(run, source)` takes the output. A
  /// single run is computed by all threads together, several are divided among the threads; the results are
  /// the same numbers. Throws kUsage if the workspace belongs to another program.
  void run(int64_t runs, const std::function<void(int64_t, void*)>& load,
           const std::function<void(int64_t, const void*)>& store, Workspace& workspace,
           const Probe* probe = nullptr, ProbeView view = ProbeView::kEveryValue) const;

  /// Bytes of activations and scratch memory for one run.
  int64_t arena_bytes() const { return arena_bytes_; }

 private:
  struct Step {
    Kernel run, run_with_next;
    std::vector<Operand> operands;
    int64_t scratch_offset;
    ValueId output;
    int64_t output_offset;
  };

  void run_once(int64_t run, std::byte* arena, const Probe* probe, ProbeView view) const;

  std::vector<Step> steps_;
  std::vector<std::shared_ptr<const void>> constants_;  // kept alive for the steps
  ValueId input_;
  int64_t input_offset_, output_offset_;
  int64_t arena_bytes_ = 0;
};

/// How many runs of the graph a batch of images [N,...] makes: N over the written batch. Throws kUsage if the
/// images are not a whole number of inputs of the graph.
int64_t run_count(const Graph& graph, const Shape& images);

}  // namespace qlimit
