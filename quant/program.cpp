#include "quant/program.h"

#include <algorithm>

#include "core/error.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "quant/memory_plan.h"

namespace qlimit {
namespace {

/// More arenas than this would only use memory: it is the number of parts that a batch is cut into.
constexpr int64_t kMaxArenas = 32;

}  // namespace

Workspace::Workspace(int64_t arena_bytes, int64_t arenas)
    : arena_bytes_(arena_bytes),
      arenas_(arenas),
      memory_(allocate_buffer(static_cast<size_t>(arena_bytes * arenas))) {}

Program::Program(const Graph& graph, std::vector<CompiledNode> compiled, OperandConstants constants)
    : input_(graph.input) {
  std::vector<NodeMemory> needs;
  for (const CompiledNode& node : compiled) {
    needs.push_back({.scratch_bytes = node.scratch_bytes, .computes_next = node.run_with_next != nullptr});
  }
  const GraphMemory memory = plan_graph_memory(graph, needs);
  arena_bytes_ = memory.bytes;
  if (arena_bytes_ > kMostArenaBytes) {
    throw Error(ErrorKind::kUnsupported, {.what = "one run needs too much memory",
                                          .where = graph.value(graph.output).name,
                                          .expected = concat("at most ", kMostArenaBytes, " bytes"),
                                          .found = concat(arena_bytes_)});
  }

  const auto offset = [&](ValueId id) { return memory.value_offsets[static_cast<size_t>(id)]; };
  input_offset_ = offset(graph.input);
  output_offset_ = offset(graph.output);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    std::vector<Operand> operands;
    for (size_t k = 0; k < operand_count(node); ++k) {
      const ValueId id = node.inputs[k];
      std::shared_ptr<const void> constant = constants[static_cast<size_t>(id)];
      operands.push_back({static_cast<const std::byte*>(constant.get()), offset(id)});
      if (constant) constants_.push_back(std::move(constant));
    }
    steps_.push_back({.run = std::move(compiled[i].run),
                      .run_with_next = std::move(compiled[i].run_with_next),
                      .operands = std::move(operands),
                      .scratch_offset = memory.scratch_offsets[i],
                      .output = node.output,
                      .output_offset = offset(node.output)});
  }
}

Workspace Program::make_workspace(int64_t max_runs) const {
  return Workspace(arena_bytes_, std::clamp<int64_t>(max_runs, 1, kMaxArenas));
}

void Program::run_once(int64_t run, std::byte* arena, const Probe* probe, ProbeView view) const {
  const bool one_by_one = probe && view == ProbeView::kEveryValue;
  if (probe) (*probe)(run, input_, arena + input_offset_);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const bool with_next = step.run_with_next && !one_by_one;
    const Step& last = with_next ? steps_[++i] : step;  // whose result is computed
    const KernelArguments arguments(step.operands.data(), arena, last.output_offset, step.scratch_offset);
    if (with_next) {
      step.run_with_next(arguments);
    } else if (step.run) {
      step.run(arguments);
    }
    if (probe) (*probe)(run, last.output, arena + last.output_offset);
  }
}

void Program::run(int64_t runs, const std::function<void(int64_t, void*)>& load,
                  const std::function<void(int64_t, const void*)>& store, Workspace& workspace,
                  const Probe* probe, ProbeView view) const {
  if (workspace.arena_bytes() != arena_bytes_) {
    throw Error(ErrorKind::kUsage, {.what = "the workspace was made for another model",
                                    .expected = concat(arena_bytes_, " bytes"),
                                    .found = concat(workspace.arena_bytes()),
                                    .hint = "use make_workspace of the model that runs"});
  }
  const auto run_part = [&](int64_t part, int64_t begin, int64_t end) {
    std::byte* arena = workspace.arena(part);
    for (int64_t run = begin; run < end; ++run) {
      load(run, arena + input_offset_);
      run_once(run, arena, probe, view);
      store(run, arena + output_offset_);
    }
  };
  if (runs == 1 || workspace.arenas() == 1) {
    run_part(0, 0, runs);
  } else if (runs > 1) {
    // std::ref: a std::function of this size would ask for memory.
    parallel_chunks(runs, chunk_count(runs, workspace.arenas()), std::ref(run_part));
  }
}

int64_t run_count(const Graph& graph, const Shape& images) {
  const Shape& input = graph.value(graph.input).shape;
  if (images.rank() != input.rank() || images[0] < 1 || images[0] % input[0] != 0 ||
      images != with_batch(input, images[0])) {
    throw Error(ErrorKind::kUsage,
                {.what = "these images do not fit the model",
                 .expected = concat(input.to_string(), input[0] == 1 ? ", any batch" : ", or a multiple"),
                 .found = images.to_string()});
  }
  return images[0] / input[0];
}

}  // namespace qlimit
